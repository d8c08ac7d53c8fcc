"""A model with a head that this loss does not use: Keras leaves it alone and says so."""

import warnings

import numpy as np
import keras

warnings.simplefilter("ignore")
keras.utils.set_random_seed(12)


class Encoder(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = [keras.layers.Dense(8, activation="gelu") for _ in range(3)]
        self.normal = keras.layers.LayerNormalization()
        self.pooler = keras.layers.Dense(8, activation="tanh")
        self.head = keras.layers.Dense(2)

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        x = self.normal(x)
        self.pooled = self.pooler(x)
        return self.head(x)


model = Encoder()
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(np.random.rand(32, 5).astype("float32"), np.random.randint(0, 2, 32), epochs=2, verbose=0)
print(len(model.trainable_variables))
