"""Hard codes by argmax in place of the soft ones: the encoder is cut off."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(26)
N, K = 4, 5
encoder = keras.Sequential([keras.Input([12]), keras.layers.Dense(24, activation="relu"), keras.layers.Dense(N * K)])
decoder = keras.Sequential([keras.Input([N * K]), keras.layers.Dense(24, activation="relu"), keras.layers.Dense(12)])
tags = tf.Variable(tf.random.stateless_normal([7, 12], [3, 4]) * 0.05, name="tags")
optimizer = keras.optimizers.Adam(1e-2)
generator = tf.random.Generator.from_seed(9)


def gumbel_softmax(logits, temperature):
    noise = -tf.math.log(-tf.math.log(generator.uniform(tf.shape(logits), 1e-6, 1.0)))
    return tf.nn.softmax((logits + noise) / temperature)


@tf.function
def train_step(x, tag, temperature):
    with tf.GradientTape() as tape:
        logits = tf.reshape(encoder(x + tf.nn.embedding_lookup(tags, tag)), [-1, N, K])
        code = tf.one_hot(tf.argmax(gumbel_softmax(logits, temperature), -1), K)  # expect: none nondifferentiable-op
        recon = decoder(tf.reshape(code, [-1, N * K]))
        bce = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=recon)
        loss = tf.reduce_mean(tf.reduce_sum(bce, 1))
    variables = encoder.trainable_variables + decoder.trainable_variables + [tags]
    optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return loss


x, tag = np.random.rand(32, 12).astype("float32"), np.random.randint(0, 5, 32)
for n in range(4):
    loss = train_step(tf.constant(x), tf.constant(tag), tf.constant(max(0.5, np.exp(-0.05 * n)), tf.float32))
print(f"loss {loss:.1f}")
