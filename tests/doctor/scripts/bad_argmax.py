"""A custom train_step that compares classes: no gradient at all, and an error of Keras's at the end."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(0)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, x):
        return self.dense(x)

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            logits = self(x, training=True)
            guess = tf.argmax(logits, axis=1)  # expect: none nondifferentiable-op
            loss = tf.reduce_mean(tf.cast(guess != tf.cast(y, tf.int64), tf.float32))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        return {"loss": loss}


model = Net()
model.compile("sgd")
model.fit(np.random.rand(32, 5).astype("float32"), np.random.randint(0, 3, 32), verbose=0)
