"""Agents: actors and critics, memories, samplers, several tapes and threads."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tensorflow as tf


def shaped_reward_in_python(Tape):
    """zero: left-tensorflow | none: left-tensorflow"""
    thrust = tf.Variable([0.4, -0.3, 0.9], name="thrust")
    drag = tf.constant([0.2, 0.1, 0.4])

    def environment(actions):
        force = np.tanh(actions.numpy())
        return (1.0 - force**2).astype("float32")

    with Tape() as tape:
        actions = thrust * tf.exp(-drag)
        reward = tf.py_function(environment, [actions], tf.float32)  # HERE
        loss = -tf.reduce_mean(reward)
    return tape, loss, thrust


def td_error_asked_about_the_target_network(Tape):
    """none: stop-gradient"""
    online = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    target = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    s = tf.random.normal([4, 3], seed=1)
    s_next = tf.random.normal([4, 3], seed=2)
    rewards = tf.constant([0.0, 1.0, 0.0, 0.5])
    actions = tf.constant([0, 1, 1, 0])
    with Tape() as tape:
        q = tf.gather(online(s), actions, batch_dims=1)
        best = tf.reduce_max(target(s_next), axis=1)
        y = tf.stop_gradient(rewards + 0.99 * best)  # HERE
        loss = tf.reduce_mean(tf.square(y - q))
    return tape, loss, target.trainable_variables


def value_estimate_kept_in_a_variable(Tape):
    """none: state"""
    critic = tf.Variable([0.3, 0.1, -0.2], name="critic")
    value = tf.Variable(tf.zeros([4]), trainable=False, name="value")
    returns = tf.constant([1.0, 0.5, 0.2, 0.0])
    found = []

    @tf.function
    def update(states):
        with Tape() as tape:
            value.assign(tf.linalg.matvec(states, critic))  # HERE
            advantage = returns - value
            loss = tf.reduce_mean(tf.square(advantage))
        found.append(tape.explain(loss, critic))
        return loss

    update(tf.random.normal([4, 3], seed=3))
    return found[0]


def replay_of_encoded_states(Tape):
    """none: state"""
    encoder = tf.Variable(tf.random.normal([3, 2], seed=4))
    observations = tf.random.normal([6, 3], seed=5)
    rewards = tf.constant([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    with Tape() as tape:
        codes = tf.nn.tanh(observations @ encoder)
        replay = tf.data.Dataset.from_tensor_slices((codes, rewards)).batch(3)  # HERE
        losses = []
        for code, reward in replay:
            losses.append(tf.reduce_mean(tf.square(tf.reduce_sum(code, axis=1) - reward)))
        loss = tf.add_n(losses)
    return tape, loss, encoder


def bang_bang_controller(Tape):
    """zero: piecewise-constant"""
    gains = tf.Variable([1.5, 0.4], name="gains")

    @tf.function
    def rollout(state, steps):
        cost = tf.constant(0.0)
        for _ in tf.range(steps):
            u = -tf.sign(tf.reduce_sum(gains * state))  # HERE
            position = state[0] + 0.1 * state[1]
            speed = state[1] + 0.1 * u
            state = tf.stack([position, speed])
            cost += tf.reduce_sum(tf.square(state))
        return cost

    with Tape() as tape:
        cost = rollout(tf.constant([1.0, 0.0]), tf.constant(4))
    return tape, cost, gains


def critic_value_reused_for_the_actor(Tape):
    """none: outside-tape"""
    states = tf.random.normal([5, 3], seed=6)
    returns = tf.constant([1.0, 0.8, 0.1, 0.4, 0.0])
    critic_w = tf.Variable(tf.random.normal([3, 1], seed=7), name="critic_w")
    actor_w = tf.Variable(tf.random.normal([3, 2], seed=8), name="actor_w")
    with Tape() as critic_tape:
        values = tf.squeeze(states @ critic_w, axis=1)  # HERE
        critic_loss = tf.reduce_mean(tf.square(returns - values))
    critic_grad = critic_tape.gradient(critic_loss, critic_w)
    critic_w.assign_sub(0.1 * critic_grad)
    with Tape() as actor_tape:
        log_probs = tf.nn.log_softmax(states @ actor_w)[:, 0]
        actor_loss = -tf.reduce_mean(log_probs * (returns - values))
        total = actor_loss + 0.5 * tf.reduce_mean(tf.square(returns - values))
    return actor_tape, total, {"actor": actor_w, "critic": critic_w}


def actor_and_critic_share_a_tape(Tape):
    """error: tape-consumed"""
    body = keras.layers.Dense(4, activation="tanh")
    actor, critic = keras.layers.Dense(2), keras.layers.Dense(1)
    obs = tf.random.normal([3, 5], seed=9)
    returns = tf.constant([[0.3], [0.9], [0.1]])
    with Tape() as tape:
        hidden = body(obs)
        value = critic(hidden)
        log_prob = tf.nn.log_softmax(actor(hidden))[:, 1:]
        critic_loss = tf.reduce_mean(tf.square(returns - value))
        actor_loss = -tf.reduce_mean(log_prob * (returns - tf.stop_gradient(value)))
    actor_grads = tape.gradient(actor_loss, actor.trainable_variables)  # HERE
    for variable, grad in zip(actor.trainable_variables, actor_grads):
        variable.assign_sub(0.01 * grad)
    return tape, critic_loss, critic.trainable_variables


def ensemble_members_in_a_thread_pool(Tape):
    """none: outside-tape"""
    members = [tf.Variable(tf.random.normal([2], seed=i)) for i in range(3)]
    x = tf.random.normal([4, 2], seed=10)
    y = tf.constant([0.1, 0.5, 0.2, 0.9])

    def member_loss(w):
        prediction = tf.linalg.matvec(x, w)  # HERE
        return tf.reduce_mean(tf.square(prediction - y))

    with Tape() as tape:
        with ThreadPoolExecutor(max_workers=2) as pool:
            losses = list(pool.map(member_loss, members))
        loss = tf.add_n(losses) / len(members)
    return tape, loss, members


def greedy_action_values(Tape):
    """none: nondifferentiable-op"""
    logits_w = tf.Variable(tf.random.normal([3, 4], seed=11))
    payoff = tf.constant([0.1, 0.7, 0.3, 0.5])

    @tf.function
    def expected_payoff(states):
        logits = states @ logits_w
        action = tf.argmax(logits, axis=-1)  # HERE
        chosen = tf.one_hot(action, depth=4)
        return tf.reduce_mean(tf.linalg.matvec(chosen, payoff))

    with Tape() as tape:
        objective = -expected_payoff(tf.random.normal([5, 3], seed=12))
    return tape, objective, logits_w


def cold_boltzmann_policy(Tape):
    """zero: saturated"""
    preferences = tf.Variable([1.0, 2.5, 4.0], name="preferences")
    payoff = tf.constant([0.2, 0.9, 0.4])

    @tf.function
    def boltzmann_return(prefs, temperature):
        probabilities = tf.nn.softmax(prefs / temperature)  # HERE
        return tf.reduce_sum(probabilities * payoff)

    with Tape() as tape:
        loss = -boltzmann_return(preferences, tf.constant(0.005))
    return tape, loss, preferences


def critic_loss_that_returns_nothing(Tape):
    """error: bad-argument"""
    weights = tf.Variable([0.5, -0.1])
    states = tf.constant([[1.0, 2.0], [0.3, 0.7]])
    returns = tf.constant([1.0, 0.0])
    history = []

    def compute_loss():
        values = tf.linalg.matvec(states, weights)
        history.append(tf.reduce_mean(tf.square(values - returns)))

    with Tape() as tape:
        loss = compute_loss()
    try:
        grads = tape.gradient(loss, weights)  # HERE
        weights.assign_sub(0.1 * grads)
    except (ValueError, TypeError, AttributeError):
        pass
    return tape.explain(loss, weights)
