"""Equations: residuals of networks, material constants, angles, decompositions."""

import keras
import numpy as np
import tensorflow as tf


def burgers_residual_second_derivative(Tape):
    """none: higher-order"""
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    found = []

    @tf.function
    def residual(x, nu=0.01):
        with Tape(persistent=True) as tape:
            tape.watch(x)
            u = net(x)
        u_x = tape.gradient(u, x)  # HERE
        u_xx = tape.gradient(u_x, x)
        found.append(tape.explain(u_x, x))
        return u * u_x if u_xx is None else u * u_x - nu * u_xx

    residual(tf.reshape(tf.linspace(-1.0, 1.0, 5), [5, 1]))
    return found[0]


def curvature_of_a_linear_trial_function(Tape):
    """none: higher-order"""
    stretch = tf.Variable(0.02)
    x = tf.constant([0.0, 0.25, 0.5, 1.0])

    def displacement(position):
        return stretch * position + 0.001

    with Tape() as outer:
        outer.watch(x)
        with Tape() as inner:
            inner.watch(x)
            u = displacement(x)
        strain = inner.gradient(u, x)  # HERE
    return outer, strain, x


def bond_angle_of_a_straight_chain(Tape):
    """nonfinite: singular-point"""
    atoms = tf.Variable([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]])

    def unit(v):
        return v / tf.sqrt(tf.reduce_sum(v * v) + 1e-30)

    with Tape() as tape:
        left = unit(atoms[1] - atoms[0])
        right = unit(atoms[2] - atoms[1])
        cosine = tf.tensordot(left, right, axes=1)
        theta = tf.acos(cosine)  # HERE
        energy = 0.5 * 3.2 * tf.square(theta - 0.3)
    return tape, energy, atoms


def diffusion_front_at_time_zero(Tape):
    """nonfinite: where-trap"""
    t = tf.constant([0.0, 0.1, 0.5, 2.0])
    diffusivity = tf.Variable(0.4)

    def concentration(time, distance=0.3):
        spread = tf.sqrt(4.0 * diffusivity * time)
        profile = tf.exp(-distance / spread)  # HERE
        return tf.where(time > 0.0, profile, tf.zeros_like(time))

    with Tape() as tape:
        c = concentration(t)
        misfit = tf.reduce_sum(tf.square(c - [0.0, 0.1, 0.3, 0.6]))
    return tape, misfit, diffusivity


def glen_flow_law_without_shear(Tape):
    """nonfinite: singular-point"""
    velocity = tf.Variable([1.0, 1.0, 1.2, 1.5, 1.5])
    rate_factor = tf.constant(2.4)

    @tf.function
    def viscosity(u, n=3.0):
        strain_rate = tf.abs(u[1:] - u[:-1])
        effective = tf.pow(strain_rate, 1.0 / n)  # HERE
        return 0.5 * rate_factor * effective

    with Tape() as tape:
        stress = tf.reduce_mean(viscosity(velocity))
    return tape, stress, velocity


def spring_constant_given_as_a_whole_number(Tape):
    """none: integer-dtype"""
    k = tf.Variable(3, name="k")  # HERE
    positions = tf.constant([0.1, -0.2, 0.4])
    measured = tf.constant([0.2, 0.1, 0.3])

    @tf.function
    def potential(q):
        stiffness = tf.cast(k, q.dtype)  # HERE
        return 0.5 * stiffness * tf.square(q)

    with Tape() as tape:
        loss = tf.reduce_sum(tf.square(potential(positions) - measured))
    return tape, loss, k


def viscosity_declared_as_a_constant(Tape):
    """none: not-trainable"""
    nu = tf.Variable(0.01, trainable=False, name="nu")
    amplitude = tf.Variable(1.3, name="amplitude")
    x = tf.linspace(0.0, 1.0, 6)

    @tf.function
    def decay(t):
        wave = amplitude * tf.sin(np.pi * x)
        return wave * tf.exp(-nu * np.pi**2 * t)  # HERE

    with Tape() as tape:
        loss = tf.reduce_mean(tf.square(decay(tf.constant(2.0)) - 0.5))
    return tape, loss, [amplitude, nu]


def norm_of_a_rotating_phase(Tape):
    """zero: cancels"""
    phase = tf.Variable([0.25, 0.5, 1.25])

    def probability(phi):
        return tf.square(tf.sin(phi)) + tf.square(tf.cos(phi))  # HERE

    with Tape() as tape:
        total = tf.reduce_mean(probability(phase))
        loss = 3.0 * total + 1.0
    return tape, loss, phase


def pendulum_hanging_at_rest(Tape):
    """zero: constant-here"""
    theta = tf.Variable(0.0, name="theta")
    length = tf.constant(0.8)
    mass = 1.2

    with Tape(persistent=True) as tape:
        height = length * (1.0 - tf.cos(theta))  # HERE
        energy = mass * 9.81 * height
        lagrangian = 0.25 - energy
    return tape, lagrangian, theta


def velocity_component_of_collocation_points(Tape):
    """none: rebound"""
    rng = np.random.default_rng(2)
    w1 = tf.Variable(rng.normal(size=(2, 6)).astype("float32"))
    w2 = tf.Variable(rng.normal(size=(6, 1)).astype("float32"))
    points = tf.constant(rng.uniform(size=(7, 2)).astype("float32"))

    def u(tx):
        return tf.tanh(tx @ w1) @ w2

    with Tape() as tape:
        tape.watch(points)
        solution = u(points)
    return tape, solution, points[:, 0:1]  # HERE


def log_determinant_by_elimination(Tape):
    """error: no-gradient-registered"""
    factor = tf.Variable([[2.0, 0.3], [0.1, 1.5]])
    found = []

    @tf.function
    def train_step():
        with Tape() as tape:
            covariance = factor @ tf.transpose(factor) + 0.1 * tf.eye(2)
            lu, _ = tf.linalg.lu(covariance)  # HERE
            log_det = tf.reduce_sum(tf.math.log(tf.abs(tf.linalg.diag_part(lu))))
            loss = 0.5 * log_det + tf.linalg.trace(covariance)
        try:
            return tape.gradient(loss, factor)
        except LookupError:
            found.append(tape.explain(loss, factor))
            return loss

    train_step()
    return found[0]


def orthonormal_basis_of_modes(Tape):
    """error: unsupported"""
    modes = tf.Variable(np.random.default_rng(4).normal(size=(5, 2)))
    found = []

    @tf.function
    def projection_error(snapshots):
        with Tape() as tape:
            q, _ = tf.linalg.qr(modes, full_matrices=True)  # HERE
            basis = q[:, :3]
            residual = snapshots - basis @ (tf.transpose(basis) @ snapshots)
            loss = tf.reduce_sum(residual**2)
        try:
            return tape.gradient(loss, modes)
        except NotImplementedError:
            found.append(tape.explain(loss, modes))
            return loss

    projection_error(tf.constant(np.random.default_rng(5).normal(size=(5, 4))))
    return found[0]


def heat_flux_watched_after_the_fact(Tape):
    """none: unwatched"""
    conductivity = tf.constant(0.7)
    x = tf.constant([[0.0], [0.3], [0.9]])

    def temperature(z):
        return 20.0 + 5.0 * tf.exp(-2.0 * z)  # HERE

    with Tape() as tape:
        t = temperature(x)
        tape.watch(x)
        q = -conductivity * t
    return tape, q, x
