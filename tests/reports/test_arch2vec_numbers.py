"""nas_tf/reports/arch2vec_numbers.py."""

from nas_tf.reports import arch2vec_numbers


def test_an_analysis_stands_beside_the_same_accuracies():
    assert set(arch2vec_numbers.representation("nasbench101", "cifar10", 108)) == {
        "rmse", "pearson", "neighbour_edits"
    }
    cells_alone = {"neighbour_edits": {"pre-trained": "2.9"}}
    for of in (("digits", 36), ("cifar10", 4), ("unknown", 108), (None, None)):
        assert arch2vec_numbers.representation("nasbench101", *of) == cells_alone
    assert arch2vec_numbers.representation("nasbench201", "cifar10", 200) == {}


def test_every_space_has_every_kind():
    for space, kinds in arch2vec_numbers.AUTOENCODERS.items():
        assert list(kinds) == ["gae", "vgae", "no_kl", "arch2vec"], space
        assert all(0 < value <= 1 for row in kinds.values() for value in row)
        assert space in arch2vec_numbers.CELLS and space in arch2vec_numbers.TRIED
