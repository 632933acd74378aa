"""Makes the tasks known to Gymnasium; importing this is enough.

Gymnasium finds the environments of other packages in one way only (since 1.0 it reads no entry
points): it imports the module that is named before the colon, and expects that to register.
This is therefore the one module of ours in which something happens at import::

    gymnasium.make("rig.world.registration:rig/Push-v0")
    gymnasium.make_vec("rig.world.registration:rig/Push-v0", num_envs=16)

Nothing heavy is imported here: the entry points are text, and the ids are spelled out.
"""

from gymnasium.envs.registration import register as register_id
from gymnasium.envs.registration import registry


IDS = ("rig/Reach-v0", "rig/Push-v0", "rig/PushWide-v0")


def register() -> None:
    """Registers every task, as one world and as a batch of worlds; twice does no harm."""
    for id_ in IDS:
        if id_ not in registry:
            register_id(
                id_,
                entry_point="rig.world.environments:TabletopEnv",
                vector_entry_point="rig.world.environments:TabletopVectorEnv",
                kwargs={"task": id_},
            )


register()
