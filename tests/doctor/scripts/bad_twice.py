"""One tape asked twice: the actor's gradients are fine, the critic's raise."""

import tensorflow as tf

actor, critic = tf.Variable(1.0, name="actor"), tf.Variable(2.0, name="critic")
with tf.GradientTape() as tape:
    actor_loss, critic_loss = actor**2, (critic - 1.0) ** 2
first = tape.gradient(actor_loss, actor)  # expect: error tape-consumed
second = tape.gradient(critic_loss, critic)
print("never printed")
