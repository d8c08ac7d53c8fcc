"""A bias so low that no unit fires: zeros in a traced step."""

import tensorflow as tf
import keras

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input([4]),
        keras.layers.Dense(8, activation="relu", bias_initializer=keras.initializers.Constant(-50.0), name="dead"),
        keras.layers.Dense(1),
    ]
)
optimizer = keras.optimizers.SGD(0.1)


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        hidden = model.layers[0](x)  # expect: zero saturated
        loss = tf.reduce_mean(tf.square(model.layers[1](hidden) - y))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


for step in range(4):
    loss = train_step(tf.ones([8, 4]), tf.ones([8, 1]))
print(f"{float(loss):.3f}")
