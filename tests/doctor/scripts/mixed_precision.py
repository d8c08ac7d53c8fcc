"""Mixed precision: a scaled loss that overflows on purpose in its first steps, which the optimizer skips."""

import numpy as np
import keras

keras.utils.set_random_seed(11)
keras.mixed_precision.set_global_policy("mixed_float16")
model = keras.Sequential(
    [keras.Input([4]), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, dtype="float32")]
)
model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-2), initial_scale=2.0**20), "mse")
x = np.random.rand(64, 4).astype("float32") * 10
history = model.fit(x, x.sum(1), epochs=4, batch_size=16, verbose=0)
print(len(history.history["loss"]))
