"""One step compiled with XLA, one under a MirroredStrategy."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(35)
x = np.random.rand(32, 12).astype("float32")
y = (x[:, :6].sum(1) > x[:, 6:].sum(1)).astype("int32")
layer, bias = tf.Variable(tf.random.stateless_normal([12, 2], [1, 2]) * 0.2), tf.Variable(tf.zeros([2]))


@tf.function(jit_compile=True)
def train_xla(images, labels):
    with tf.GradientTape() as tape:
        logits = images @ layer + bias
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=logits, labels=labels))
    for v, g in zip([layer, bias], tape.gradient(loss, [layer, bias])):
        v.assign_sub(0.1 * g)
    return loss


for step in range(2):
    print("xla %.3f" % train_xla(tf.constant(x), tf.constant(y)))
strategy = tf.distribute.MirroredStrategy(["cpu:0"])
with strategy.scope():
    model = keras.Sequential([keras.Input([12]), keras.layers.Dense(8, activation="gelu"), keras.layers.Dense(2)])
    optimizer = keras.optimizers.Adam()
    per_example = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")


def train_step(inputs):
    images, labels = inputs
    with tf.GradientTape() as tape:
        loss = tf.nn.compute_average_loss(per_example(labels, model(images, training=True)), global_batch_size=16)
    optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables))
    return loss


@tf.function
def distributed_train_step(batch):
    return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(train_step, args=(batch,)), axis=None)


for batch in strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensor_slices((x, y)).batch(16)):
    print("mirrored %.2f" % distributed_train_step(batch))
