"""Custom training: a small classifier of flowers, with tf.data and metrics."""

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(7)
rng = np.random.default_rng(0)
centers = np.array([[5.0, 3.4, 1.4, 0.2], [5.9, 2.7, 4.2, 1.3], [6.5, 3.0, 5.5, 2.0]])
labels = rng.integers(0, 3, 120)
features = (centers[labels] + rng.normal(0, 0.3, [120, 4])).astype("float32")
ds_train = tf.data.Dataset.from_tensor_slices((features, labels)).batch(32)

model = tf.keras.Sequential(
    [
        tf.keras.layers.Dense(10, activation=tf.nn.relu, input_shape=(4,)),
        tf.keras.layers.Dense(10, activation=tf.nn.relu),
        tf.keras.layers.Dense(3),
    ]
)
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def loss(model, x, y, training):
    y_ = model(x, training=training)
    return loss_object(y_true=y, y_pred=y_)


first = loss(model, features[:32], labels[:32], training=False)
print("Loss test: {:.3f}".format(float(first)))


def grad(model, inputs, targets):
    with tf.GradientTape() as tape:
        loss_value = loss(model, inputs, targets, training=True)
    return loss_value, tape.gradient(loss_value, model.trainable_variables)


optimizer = tf.keras.optimizers.SGD(learning_rate=0.01)
loss_value, grads = grad(model, features[:32], labels[:32])
print("Step: {}, Initial Loss: {:.3f}".format(optimizer.iterations.numpy(), loss_value.numpy()))
optimizer.apply_gradients(zip(grads, model.trainable_variables))
print(
    "Step: {},         Loss: {:.3f}".format(
        optimizer.iterations.numpy(), loss(model, features[:32], labels[:32], training=True).numpy()
    )
)

train_loss_results, train_accuracy_results = [], []
num_epochs = 11
for epoch in range(num_epochs):
    epoch_loss_avg = tf.keras.metrics.Mean()
    epoch_accuracy = tf.keras.metrics.SparseCategoricalAccuracy()
    for x, y in ds_train:
        loss_value, grads = grad(model, x, y)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        epoch_loss_avg.update_state(loss_value)
        epoch_accuracy.update_state(y, model(x, training=True))
    train_loss_results.append(epoch_loss_avg.result())
    train_accuracy_results.append(epoch_accuracy.result())
    if epoch % 5 == 0:
        print(
            "Epoch {:03d}: Loss: {:.3f}, Accuracy: {:.3%}".format(
                epoch, epoch_loss_avg.result(), epoch_accuracy.result()
            )
        )
prediction = model(features[:5], training=False)
print(tf.math.argmax(prediction, axis=1, output_type=tf.int64).numpy())
