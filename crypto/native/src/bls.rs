//! BLS12-381.

use crate::errors::{Error, Result};
use crate::parallel;
use crate::scalars::residue;
use crate::vector::{Store, View, broadcast, broadcast_length, same_length, whole};
use blst_shim::{G1, G1Affine, G2, G2Affine, MillerProduct, hash_to_g1 as hash_one, msm, msm_affine};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBool, PyBytes};
use std::ops::Range;
use zeroize::Zeroizing;

const GRAIN: usize = 2;
const GRAIN_ADD: usize = 256;
/// Terms per bucket method call; also the bound on what the streaming forms keep.
const CHUNK: usize = 4096;
const PAIRS: usize = 16;

/// The order of the groups, little-endian.
const ORDER: [u8; 32] = [
    0x1, 0x0, 0x0, 0x0, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0x2, 0xa4, 0xbd, 0x53, 0x5, 0xd8, 0xa1, 0x9,
    0x8, 0xd8, 0x39, 0x33, 0x48, 0x7d, 0x9d, 0x29, 0x53, 0xa7, 0xed, 0x73,
];

macro_rules! vector {
    ($vector:ident, $store:ident, $point:ident, $affine:ident, $bytes:literal, $label:literal, $decode:ident, $generator:ident) => {
        pub struct $store(Vec<$point>);

        impl Store for $store {
            type Item = $point;

            fn new(items: Vec<$point>) -> Self {
                Self(items)
            }

            fn items(&self) -> &[$point] {
                &self.0
            }
        }

        /// An immutable vector of points of the prime-order subgroup.
        #[pyclass(frozen, module = "crypto.group._native")]
        pub struct $vector(View<$store>);

        impl $vector {
            fn new(items: Vec<$point>) -> Self {
                Self(View::new(items))
            }

            fn items(&self) -> &[$point] {
                self.0.items()
            }
        }

        #[pymethods]
        impl $vector {
            fn __len__(&self) -> usize {
                self.items().len()
            }

            fn __getitem__(&self, index: &Bound<'_, PyAny>) -> PyResult<Self> {
                self.0.slice(index).map(Self)
            }

            fn __eq__(&self, other: &Bound<'_, PyAny>) -> Py<PyAny> {
                let py = other.py();
                match other.cast::<$vector>() {
                    Ok(other) => PyBool::new(py, self.items() == other.get().items()).to_owned().into_any().unbind(),
                    Err(_) => py.NotImplemented(),
                }
            }

            fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
                let py = other.py();
                let Ok(other) = other.cast::<$vector>() else {
                    return Ok(py.NotImplemented());
                };
                let (left, right) = (self.items(), other.get().items());
                let length = broadcast_length(left.len(), right.len())?;
                let add = |i| broadcast(left, i).add(broadcast(right, i));
                let out = py.detach(|| parallel::map(length, GRAIN_ADD, add));
                Ok(Py::new(py, Self::new(out))?.into_any())
            }

            fn __neg__(&self) -> Self {
                Self::new(self.items().iter().map($point::neg).collect())
            }

            fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
                let items = self.items();
                let out = py.detach(|| parallel::map(items.len(), 32, |i| items[i].encode()));
                PyBytes::new(py, out.as_flattened())
            }

            fn mul(&self, py: Python<'_>, scalars: Vec<Bound<'_, PyAny>>) -> PyResult<Self> {
                let scalars: Vec<_> = scalars.iter().map(|value| residue(value, &ORDER)).collect::<PyResult<_>>()?;
                let scalars = Zeroizing::new(scalars);
                let points = self.items();
                let length = broadcast_length(points.len(), scalars.len())?;
                let mul = |i| broadcast(points, i).mul(broadcast(&scalars, i));
                Ok(Self::new(py.detach(|| parallel::map(length, GRAIN, mul))))
            }

            fn sum(&self) -> Self {
                Self::new(vec![self.items().iter().fold($point::default(), |sum, point| sum.add(point))])
            }
        }

        #[pyfunction]
        pub fn $generator() -> $vector {
            $vector::new(vec![$point::generator()])
        }

        #[pyfunction]
        pub fn $decode(py: Python<'_>, data: &[u8]) -> PyResult<$vector> {
            let length = whole(concat!($label, " points"), $bytes, data)?;
            let (encodings, _) = data.as_chunks::<$bytes>();
            let mut out = vec![$point::default(); length];
            py.detach(|| {
                parallel::try_fill(&mut out, 16, |range, slots| -> Result<()> {
                    for (index, slot) in range.zip(slots) {
                        let point = $affine::decode(&encodings[index]);
                        *slot = point.map_err(|why| Error::Point { group: $label, index, why })?.into();
                    }
                    Ok(())
                })
            })?;
            Ok($vector::new(out))
        }
    };
}

vector!(G1Vector, G1Store, G1, G1Affine, 48, "G1", g1_decode, g1_generator);
vector!(G2Vector, G2Store, G2, G2Affine, 96, "G2", g2_decode, g2_generator);

/// Chunks of a sum, one per thread where there is enough to do.
fn sum_chunks(length: usize, f: impl Fn(Range<usize>) -> Result<G1> + Sync + Send) -> Result<G1> {
    let chunks = length.div_ceil(CHUNK).max(parallel::threads().min(length / 64)).max(1);
    let mut sum = G1::default();
    for part in parallel::map_ranges(length, length.div_ceil(chunks).max(1), f) {
        sum = sum.add(&part?);
    }
    Ok(sum)
}

fn one_weight_each(weights: &[u8], length: usize) -> Result<()> {
    same_length(whole("weights", 16, weights)?, length)
}

/// RFC 9380 section 3.1: never empty; longer tags would need hashing first and are refused.
fn check_tag(dst: &[u8]) -> Result<()> {
    if (1..=255).contains(&dst.len()) { Ok(()) } else { Err(Error::Tag { got: dst.len() }) }
}

fn weight_bytes(range: &Range<usize>) -> Range<usize> {
    16 * range.start..16 * range.end
}

#[pyfunction]
pub fn g1_msm(py: Python<'_>, weights: &[u8], points: &Bound<'_, G1Vector>) -> PyResult<G1Vector> {
    let points = points.get().items();
    one_weight_each(weights, points.len())?;
    let chunk = |range: Range<usize>| Ok(msm(&weights[weight_bytes(&range)], &points[range]));
    let sum = py.detach(|| sum_chunks(points.len(), chunk))?;
    Ok(G1Vector::new(vec![sum]))
}

#[pyfunction]
pub fn g1_msm_decode(py: Python<'_>, weights: &[u8], data: &[u8]) -> PyResult<G1Vector> {
    let length = whole("G1 points", 48, data)?;
    one_weight_each(weights, length)?;
    let (encodings, _) = data.as_chunks::<48>();
    let decode =
        |index: usize| G1Affine::decode(&encodings[index]).map_err(|why| Error::Point { group: "G1", index, why });
    let chunk = |range: Range<usize>| {
        let points: Vec<G1Affine> = range.clone().map(decode).collect::<Result<_>>()?;
        Ok(msm_affine(&weights[weight_bytes(&range)], &points))
    };
    let sum = py.detach(|| sum_chunks(length, chunk))?;
    Ok(G1Vector::new(vec![sum]))
}

#[pyfunction]
pub fn hash_to_g1(py: Python<'_>, messages: Vec<PyBackedBytes>, dst: &[u8]) -> PyResult<G1Vector> {
    check_tag(dst)?;
    Ok(G1Vector::new(py.detach(|| parallel::map(messages.len(), GRAIN, |i| hash_one(&messages[i], dst)))))
}

#[pyfunction]
pub fn g1_msm_hash(py: Python<'_>, weights: &[u8], messages: Vec<PyBackedBytes>, dst: &[u8]) -> PyResult<G1Vector> {
    check_tag(dst)?;
    one_weight_each(weights, messages.len())?;
    let chunk = |range: Range<usize>| {
        let points: Vec<G1> = messages[range.clone()].iter().map(|message| hash_one(message, dst)).collect();
        Ok(msm(&weights[weight_bytes(&range)], &points))
    };
    let sum = py.detach(|| sum_chunks(messages.len(), chunk))?;
    Ok(G1Vector::new(vec![sum]))
}

#[pyfunction]
pub fn pairing_product_is_one(py: Python<'_>, g1: &Bound<'_, G1Vector>, g2: &Bound<'_, G2Vector>) -> PyResult<bool> {
    let (g1, g2) = (g1.get().items(), g2.get().items());
    same_length(g1.len(), g2.len())?;
    Ok(py.detach(|| {
        let product = |range: Range<usize>| MillerProduct::of(&g1[range.clone()], &g2[range]);
        let parts = parallel::map_ranges(g1.len(), PAIRS, product);
        let whole = parts.into_iter().fold(MillerProduct::of(&[], &[]), MillerProduct::combine);
        whole.is_one()
    }))
}
