"""MAML with plain Variables: a gradient step inside the block of the outer tape."""

import tensorflow as tf

tf.random.set_seed(5)
w1, b1 = tf.Variable(tf.random.normal([1, 12]) * 0.5), tf.Variable(tf.zeros([12]))
w2, b2 = tf.Variable(tf.random.normal([12, 1]) * 0.5), tf.Variable(tf.zeros([1]))
weights = [w1, b1, w2, b2]


def forward(x, weights):
    return tf.matmul(tf.tanh(tf.matmul(x, weights[0]) + weights[1]), weights[2]) + weights[3]


def task():
    phase, x = tf.random.uniform([], 0.0, 3.0), tf.random.uniform([20, 1], -3.0, 3.0)
    return x[:10], tf.sin(x[:10] + phase), x[10:], tf.sin(x[10:] + phase)


optimizer = tf.keras.optimizers.Adam(1e-2)
for step in range(4):
    with tf.GradientTape() as outer:
        losses = []
        for _ in range(3):
            x, y, x2, y2 = task()
            with tf.GradientTape() as inner:
                loss = tf.reduce_mean((forward(x, weights) - y) ** 2)
            gradients = inner.gradient(loss, weights)
            fast = [w - 0.05 * g for w, g in zip(weights, gradients)]
            losses.append(tf.reduce_mean((forward(x2, fast) - y2) ** 2))
        meta = tf.add_n(losses) / 3.0
    optimizer.apply_gradients(zip(outer.gradient(meta, weights), weights))
print(f"{float(meta):.3f}")
