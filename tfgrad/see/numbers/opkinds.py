"""What ops do to a gradient, as sets of op types: who moves it about, multiplies, picks, saturates, breaks.

Shared by the questions about zeros and about NaN. An op in none of the sets is taken as a smooth function.
"""

from __future__ import annotations


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


# Values are moved about or added up; a gradient of zero here was made further on.
STRUCTURAL = _named(
    "Pack ConcatV2 Reshape ExpandDims Squeeze Transpose Identity IdentityN Cast AddN AddV2 Add Sub Neg Sum Mean "
    "BroadcastTo BiasAdd ReadVariableOp Tile Pad PadV2 MirrorPad Cumsum ReverseV2 Reverse Roll SpaceToBatchND "
    "BatchToSpaceND TensorListFromTensor TensorListStack TensorListGetItem TensorListSetItem TensorListReserve "
    "TensorListPushBack TensorListConcatV2 TensorListPopBack EnsureShape Snapshot CheckNumerics MatrixDiagV3 "
    "ReverseSequence TensorScatterUpdate ScatterNd"
)
# Flat where the input is far out.
SATURATING = _named(
    "Relu Relu6 Elu Selu LeakyRelu Sigmoid Tanh Softplus Softsign Softmax LogSoftmax Erf Erfc Exp "
    "SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits Atan Log1p _FusedMatMul"
)
# Some elements are picked, the others get a gradient of zero.
MASKING = _named(
    "Maximum Minimum SelectV2 Select ClipByValue Max Min StridedSlice Slice GatherV2 Gather GatherNd ResourceGather "
    "MaxPool MaxPoolV2 MaxPool3D TopKV2 TopK Split SplitV Unpack DynamicPartition DynamicStitch UnsortedSegmentSum "
    "SegmentSum SegmentMax SegmentMin UnsortedSegmentMax UnsortedSegmentMin UnsortedSegmentMean SegmentMean "
    "MatrixBandPart MatrixDiagPartV3 TensorScatterMax TensorScatterMin SparseSegmentSum Cummax Diag DiagPart "
    "TensorListSplit TensorListGather ExtractImagePatches CropAndResize ResizeNearestNeighbor"
)
# The gradient is multiplied by another input.
PRODUCTS = _named(
    "Mul MulNoNan MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum Conv2D Conv3D DepthwiseConv2dNative "
    "Conv2DBackpropInput RealDiv DivNoNan Xdivy Xlogy Xlog1py SparseTensorDenseMatMul SquaredDifference"
)
# The result is true or false, or drawn by chance: as a factor it is a mask.
DECIDING = _named(
    "Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot OneHot IsFinite IsNan "
    "RandomUniform StatelessRandomUniformV2 SequenceMask MatrixBandPart Eye"
)
# Undefined or infinitely steep at points of their own, however moderate the numbers.
SINGULAR = _named(
    "Log Log1p Sqrt Rsqrt Reciprocal Inv Acos Asin Acosh Atanh Atan2 Lgamma Digamma Erfinv Ndtri Polygamma Zeta "
    "MatrixInverse Cholesky Svd SelfAdjointEigV2 Qr MatrixSolve MatrixTriangularSolve MatrixDeterminant "
    "LogMatrixDeterminant MatrixSquareRoot Eig Mean Max Min Betainc Igamma Igammac Xlogy Xlog1py Div0"
)
# The slope is moderate where the numbers are: what is not finite here has grown too large.
SMOOTH = _named(
    "Exp Expm1 Sinh Cosh Mul MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum Square SquaredDifference Sum Mean "
    "AddN AddV2 Add Sub Neg Cast Conv2D Conv3D DepthwiseConv2dNative BiasAdd Prod Cumsum Cumprod BroadcastTo Tile "
    "Reshape GatherV2 ResourceGather Softplus Elu Selu Pack ConcatV2 Identity"
)
# The slope of a piecewise linear activation, as an op of a backward pass: steps, where it is differentiated again.
SLOPES = {
    "ReluGrad": "relu",
    "Relu6Grad": "relu6",
    "LeakyReluGrad": "leaky_relu",
    "EluGrad": "elu",
    "SeluGrad": "selu",
    "Sign": "abs",
}
RECTIFIERS = frozenset({"Relu", "Relu6", "LeakyRelu", "Elu", "Selu"})
NORMALISING = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
DIVIDING = frozenset({"RealDiv", "Div", "Xdivy", "FloorDiv", "TruncateDiv", "FloorMod"})
# What an activation comes to far out, on either side.
LIMITS = {"Sigmoid": (0.0, 1.0), "Softmax": (0.0, 1.0), "Tanh": (-1.0, 1.0)}
FLAT_AT = {**LIMITS, "Erf": (-1.0, 1.0), "Erfc": (0.0, 2.0), "Exp": (0.0, 0.0)}
