"""An LSTM over masked tokens, in Keras's fit: a loop inside the traced step."""

import numpy as np
import keras

keras.utils.set_random_seed(1)
model = keras.Sequential(
    [
        keras.Input([None]),
        keras.layers.Embedding(30, 8, mask_zero=True),
        keras.layers.LSTM(6),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
history = model.fit(np.random.randint(0, 30, [32, 6]), np.random.randint(0, 2, 32), epochs=1, verbose=0)
print(sorted(history.history))
