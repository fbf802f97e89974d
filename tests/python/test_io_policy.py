"""The four I/O policy classes, and that one-shot calls honour them on every device."""

from __future__ import annotations

import lightning_core as lc
import numpy as np
import pytest

BINARY = [lc.MatMulIoPolicy, lc.MatrixElementwiseIoPolicy, lc.VectorAddIoPolicy]
FIELDS = ["upload_a", "upload_b", "download_out", "synchronize"]
DEVICES = ["cpu", "auto", "metal"]

pytestmark = pytest.mark.filterwarnings("ignore::lightning_core.FallbackWarning")


@pytest.mark.parametrize("cls", BINARY)
def test_binary_fields(cls):
    policy = cls()
    assert all(getattr(policy, name) is True for name in FIELDS)
    for name in FIELDS:
        setattr(policy, name, False)
        assert getattr(policy, name) is False
    assert policy == cls(**dict.fromkeys(FIELDS, False)) and policy != cls()
    assert repr(cls(upload_b=False)) == (
        f"{cls.__name__}(upload_a=True, upload_b=False, download_out=True, synchronize=True)"
    )
    assert eval(repr(policy), vars(lc)) == policy
    for other in BINARY:
        assert (other() == cls()) is (other is cls)
    assert cls() != 1


@pytest.mark.parametrize("cls", [*BINARY, lc.AttentionIoPolicy])
def test_wrong_fields(cls):
    with pytest.raises(TypeError):
        cls(upload_everything=True)
    with pytest.raises(TypeError):
        cls(__class__=int)
    with pytest.raises(TypeError):
        cls(True)
    with pytest.raises(TypeError):
        cls(synchronize="yes")
    with pytest.raises(AttributeError):
        cls().upload_everything = True


def test_attention_fields():
    policy = lc.AttentionIoPolicy()
    flags = ["upload_q", "upload_k", "upload_v", "upload_target", "download_out", "download_v", "synchronize"]
    assert all(getattr(policy, name) is True for name in flags)
    assert (policy.loss_every, policy.output_scale, policy.output_bias, policy.output_relu) == (1, 1.0, 0.0, False)
    for name in flags:
        changed = lc.AttentionIoPolicy(**{name: False})
        assert getattr(changed, name) is False and changed != policy
        assert [getattr(changed, other) for other in flags].count(True) == 6
    changed = lc.AttentionIoPolicy(loss_every=-3, output_scale=2, output_bias=-1.5, output_relu=True)
    assert (changed.loss_every, changed.output_scale, changed.output_bias) == (-3, 2.0, -1.5)
    assert eval(repr(changed), vars(lc)) == changed
    with pytest.raises(ValueError):
        lc.AttentionIoPolicy(output_scale=float("nan"))
    with pytest.raises(TypeError):
        lc.AttentionIoPolicy(loss_every=1.5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["upload_a", "upload_b"])
def test_d2_a_one_shot_product_without_an_upload_names_the_operand(device, name, rng):
    a, b = rng.random((3, 4), np.float32), rng.random((4, 5), np.float32)
    out = np.full(15, 7, np.float32)
    policy = lc.MatMulIoPolicy(**{name: False})
    for call in (
        lambda: lc.matmul_with_policy(a, b, 3, 4, 5, device, policy),
        lambda: lc.matmul_with_policy(a.ravel().tolist(), b.ravel().tolist(), 3, 4, 5, device, policy),
        lambda: lc.matmul_np_with_policy(a, b, 3, 4, 5, device, policy),
        lambda: lc.matmul_np_into_with_policy(a, b, out, 3, 4, 5, device, policy),
    ):
        with pytest.raises(lc.NotInitializedError) as caught:
            call()
        assert caught.value.argument == name[-1] and "session" in caught.value.hint
    assert (out == 7).all()


@pytest.mark.parametrize("device", DEVICES)
def test_d2_without_a_download_nothing_is_written(device, rng):
    a, b = rng.random((3, 4), np.float32), rng.random((4, 5), np.float32)
    policy = lc.MatMulIoPolicy(download_out=False)
    out = np.full((3, 5), 7, np.float32)
    lc.matmul_np_into_with_policy(a, b, out, 3, 4, 5, device, policy)
    assert (out == 7).all()
    assert not lc.matmul_np_with_policy(a, b, 3, 4, 5, device, policy).any()
    assert lc.matmul_with_policy(a.ravel().tolist(), b.ravel().tolist(), 3, 4, 5, device, policy) == [0.0] * 15
    lc.matmul_np_into_with_policy(a, b, out, 3, 4, 5, device, lc.MatMulIoPolicy())
    np.testing.assert_allclose(out, a @ b, rtol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["q", "k", "v"])
def test_d2_one_shot_attention_without_an_upload(device, name, rng):
    q = rng.random(8, np.float32)
    with pytest.raises(lc.NotInitializedError) as caught:
        lc.attention_forward_with_policy(
            q, q, q, 4, 2, False, device, lc.AttentionIoPolicy(**{f"upload_{name}": False})
        )
    assert caught.value.argument == name
    silent = lc.AttentionIoPolicy(download_out=False)
    assert (
        lc.attention_forward_with_policy(q.tolist(), q.tolist(), q.tolist(), 4, 2, False, device, silent) == [0.0] * 8
    )


@pytest.mark.parametrize("device", DEVICES)
def test_attention_post_processing(device, rng):
    q, k, v = (rng.standard_normal((4, 2)).astype(np.float32) for _ in range(3))
    plain = np.asarray(lc.attention_forward(q, k, v, 4, 2, False, device)).reshape(4, 2)
    policy = lc.AttentionIoPolicy(output_scale=0.5, output_bias=-0.1, output_relu=True)
    got = np.asarray(lc.attention_forward_with_policy(q, k, v, 4, 2, False, device, policy)).reshape(4, 2)
    np.testing.assert_allclose(got, np.maximum(plain * 0.5 - 0.1, 0), atol=1e-6)
    assert type(lc.attention_forward_with_policy(*[q.ravel().tolist()] * 3, 4, 2)) is list


def test_a_policy_of_another_kind_is_a_type_error():
    a = np.ones((2, 2), np.float32)
    for wrong in (1, "cpu", {}, object()):
        with pytest.raises(TypeError):
            lc.matmul_with_policy(a, a, 2, 2, 2, "cpu", wrong)
