"""Distillation: a frozen teacher, soft targets, a student trained by its own train_step."""

import numpy as np
import tensorflow as tf
import keras

keras.utils.set_random_seed(8)
teacher = keras.Sequential(
    [
        keras.Input([6]),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(4),
    ]
)
student = keras.Sequential(
    [keras.Input([6]), keras.layers.Dense(8, activation="relu"), keras.layers.Dropout(0.2), keras.layers.Dense(4)]
)


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student, self.teacher = student, teacher
        self.tracker = keras.metrics.Mean(name="loss")

    def train_step(self, data):
        x, y = data
        soft = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            logits = self.student(x, training=True)
            hard = keras.losses.sparse_categorical_crossentropy(y, logits, from_logits=True)
            near = keras.losses.kl_divergence(tf.nn.softmax(soft / 3.0), tf.nn.softmax(logits / 3.0)) * 9.0
            loss = tf.reduce_mean(0.1 * hard + 0.9 * near)
        variables = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        self.tracker.update_state(loss)
        return {"loss": self.tracker.result()}

    def call(self, x):
        return self.student(x)


x, y = np.random.rand(64, 6).astype("float32"), np.random.randint(0, 4, 64)
teacher.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
teacher.fit(x, y, epochs=1, verbose=0)
distiller = Distiller(student, teacher)
distiller.compile(optimizer="adam")
history = distiller.fit(x, y, epochs=2, verbose=0)
print(len(history.history["loss"]), distiller.predict(x[:2], verbose=0).shape)
