"""A real arm at the other end of a wire, with the safety outside the learner.

``rig robot serve CONFIG.toml`` runs a server next to the arm, in the arm's own Python: this
package needs pyzmq, NumPy and Pillow, and neither JAX nor MuJoCo. The server owns the arm and
its camera. A guard in it decides 50 times a second what reaches the arm. The learner is a
client (:class:`rig.robots.client.RobotClient`) that may crash, compile or be killed.

=============================  ================================================================
:mod:`rig.robots.robot`        the ``Robot`` and ``Camera`` that an adapter provides
:mod:`rig.robots.config`       the settings: arm, limits, camera, wire, session
:mod:`rig.robots.read_config`  reads them from a TOML file
:mod:`rig.robots.kinematics`   joints to tool position and back
:mod:`rig.robots.message`      what travels on the wire
:mod:`rig.robots.client`       the learner's side
:mod:`rig.robots.server`       the arm's side
:mod:`rig.robots.guard`        modes and limits: the last word on every target
:mod:`rig.robots.envelope`     what the arm may be told from one tick to the next
:mod:`rig.robots.local_link`   client and server in one process, in simulated time
:mod:`rig.robots.person`       the person's way to arm, stop and clear
=============================  ================================================================

These are protective limits, not safety-rated. The emergency stop is a switch in the power lead.
"""
