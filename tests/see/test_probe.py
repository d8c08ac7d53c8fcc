"""Whether the gradient of an op comes back to its inputs, tried in a scratch graph."""

import tensorflow as tf

from tfgrad.see.ways import probe

FLOAT, INT, BOOL = (tf.float32.as_datatype_enum, tf.int32.as_datatype_enum, tf.bool.as_datatype_enum)


def test_smooth_op_passes_to_both_inputs():
    assert probe.of_event("MatMul", ("T", FLOAT), [(FLOAT, (2, 2)), (FLOAT, (2, 2))]) == (True, True)


def test_rounding_passes_nothing():
    assert probe.of_event("Round", ("T", FLOAT), [(FLOAT, (3,))]) == (False,)


def test_select_passes_to_its_branches_and_not_to_the_condition():
    specs = [(BOOL, (3,)), (FLOAT, (3,)), (FLOAT, (3,))]
    assert probe.of_event("SelectV2", ("T", FLOAT), specs) == (False, True, True)


def test_op_without_a_registered_gradient_passes_nothing():
    assert probe.of_event("AdjustContrastv2", ("T", FLOAT), [(FLOAT, (1, 2, 2, 3)), (FLOAT, ())]) == (False, False)


def test_renamed_input_of_a_reduction_is_known_by_its_place():
    assert probe.of_event("Sum", ("keep_dims", False, "T", FLOAT, "Tidx", INT), [(FLOAT, (3,)), (INT, (1,))]) == (
        True,
        False,
    )


def test_list_input_takes_what_the_others_leave():
    assert probe.of_event("ConcatV2", ("N", 2), [(FLOAT, (2,)), (FLOAT, (2,)), (INT, ())]) == (True, True, False)


def test_unheard_of_op_can_not_be_told():
    assert probe.of_event("NoSuchOp", (), [(FLOAT, ())]) is None


def test_op_of_a_graph_is_tried_without_touching_its_graph():
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [3])
        rounded = tf.round(x)
        before = len(graph.get_operations())
        assert probe.of_graph_op(rounded.op) == (False,)
        assert len(graph.get_operations()) == before


def test_rule_by_hand_in_a_graph_is_asked():
    @tf.custom_gradient
    def scale(x, k):
        return x * k, lambda dy: (dy * k, None)

    graph = tf.function(scale).get_concrete_function(tf.ones([2]), tf.ones([2])).graph
    ruled = next(op for op in graph.get_operations() if op.type == "IdentityN")
    assert probe.is_custom_gradient(ruled)
    assert probe.of_graph_op(ruled) == (False, True, False)
