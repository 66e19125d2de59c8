//! Vectors of elements of ristretto255.

use crate::errors::{Error, Result};
use crate::parallel;
use crate::scalars::ScalarVector;
use crate::vector::{self, Store, View, broadcast, broadcast_length, whole};
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::Identity;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes};
use std::sync::OnceLock;

/// Entries per task, so that a task takes some 100 us.
const GRAIN_MUL: usize = 8;
const GRAIN_CODE: usize = 32;
const GRAIN_ADD: usize = 1024;

pub struct Elements(Vec<RistrettoPoint>);

impl Store for Elements {
    type Item = RistrettoPoint;

    fn new(items: Vec<RistrettoPoint>) -> Self {
        Self(items)
    }

    fn items(&self) -> &[RistrettoPoint] {
        &self.0
    }
}

/// Encodings of elements that were decoded or have been encoded before.
struct Encodings(Vec<[u8; 32]>);

impl Store for Encodings {
    type Item = [u8; 32];

    fn new(items: Vec<[u8; 32]>) -> Self {
        Self(items)
    }

    fn items(&self) -> &[[u8; 32]] {
        &self.0
    }
}

/// An immutable vector of group elements.
///
/// It keeps its encodings once they are known: encoding costs as much as three terms of a multi-scalar multiplication,
/// and what is decoded is often hashed again.
#[pyclass(frozen, module = "crypto.group._native")]
pub struct ElementVector {
    points: View<Elements>,
    encodings: OnceLock<View<Encodings>>,
}

impl ElementVector {
    pub fn new(items: Vec<RistrettoPoint>) -> Self {
        Self { points: View::new(items), encodings: OnceLock::new() }
    }

    fn with_encodings(points: View<Elements>, encodings: Option<View<Encodings>>) -> Self {
        Self { points, encodings: encodings.map_or_else(OnceLock::new, OnceLock::from) }
    }

    pub fn items(&self) -> &[RistrettoPoint] {
        self.points.items()
    }

    fn combine(
        &self,
        other: &Bound<'_, PyAny>,
        f: impl Fn(&RistrettoPoint, &RistrettoPoint) -> RistrettoPoint + Sync + Send,
    ) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let Ok(other) = other.cast::<ElementVector>() else {
            return Ok(py.NotImplemented());
        };
        let (left, right) = (self.items(), other.get().items());
        let length = broadcast_length(left.len(), right.len())?;
        let out = py.detach(|| parallel::map(length, GRAIN_ADD, |i| f(broadcast(left, i), broadcast(right, i))));
        Ok(Py::new(py, Self::new(out))?.into_any())
    }

    fn multiply(
        &self,
        py: Python<'_>,
        scalars: &Bound<'_, ScalarVector>,
        f: impl Fn(&RistrettoPoint, &Scalar) -> RistrettoPoint + Sync + Send,
    ) -> PyResult<Vec<RistrettoPoint>> {
        let (points, scalars) = (self.items(), scalars.get().items());
        let length = broadcast_length(points.len(), scalars.len())?;
        Ok(py.detach(|| parallel::map(length, GRAIN_MUL, |i| f(broadcast(points, i), broadcast(scalars, i)))))
    }
}

pub fn decode_one(encoding: &[u8; 32], index: usize, allow_identity: bool) -> Result<RistrettoPoint> {
    if *encoding == [0; 32] && !allow_identity {
        return Err(Error::ElementIdentity { index });
    }
    CompressedRistretto(*encoding).decompress().ok_or(Error::ElementEncoding { index })
}

/// Encodings of the doubles of these points: one inversion for a whole run. Constant-time.
pub fn encode_doubles(halves: &[RistrettoPoint]) -> Vec<[u8; 32]> {
    let mut out = vec![[0u8; 32]; halves.len()];
    parallel::fill(&mut out, 512, |range, slots| {
        let encoded = RistrettoPoint::double_and_compress_batch(&halves[range]);
        for (slot, encoding) in slots.iter_mut().zip(encoded) {
            *slot = encoding.to_bytes();
        }
    });
    out
}

#[pymethods]
impl ElementVector {
    fn __len__(&self) -> usize {
        self.items().len()
    }

    fn __getitem__(&self, index: &Bound<'_, PyAny>) -> PyResult<Self> {
        let encodings = self.encodings.get().map(|encodings| encodings.slice(index)).transpose()?;
        Ok(Self::with_encodings(self.points.slice(index)?, encodings))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> Py<PyAny> {
        let py = other.py();
        match other.cast::<ElementVector>() {
            Ok(other) => PyBool::new(py, self.items() == other.get().items()).to_owned().into_any().unbind(),
            Err(_) => py.NotImplemented(),
        }
    }

    fn __add__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |a, b| a + b)
    }

    fn __sub__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |a, b| a - b)
    }

    fn __neg__(&self, py: Python<'_>) -> Self {
        let items = self.items();
        Self::new(py.detach(|| parallel::map(items.len(), GRAIN_ADD, |i| -items[i])))
    }

    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let items = self.items();
        let encode = || View::new(parallel::map(items.len(), GRAIN_CODE, |i| items[i].compress().to_bytes()));
        let encodings = py.detach(|| self.encodings.get_or_init(encode));
        PyBytes::new(py, encodings.items().as_flattened())
    }

    fn mul(&self, py: Python<'_>, scalars: &Bound<'_, ScalarVector>) -> PyResult<Self> {
        self.multiply(py, scalars, |point, scalar| point * scalar).map(Self::new)
    }

    fn mul_vartime(&self, py: Python<'_>, scalars: &Bound<'_, ScalarVector>) -> PyResult<Self> {
        let multiply = |point: &RistrettoPoint, scalar: &Scalar| {
            RistrettoPoint::vartime_double_scalar_mul_basepoint(scalar, point, &Scalar::ZERO)
        };
        self.multiply(py, scalars, multiply).map(Self::new)
    }

    fn mul_encode<'py>(&self, py: Python<'py>, scalars: &Bound<'py, ScalarVector>) -> PyResult<Bound<'py, PyBytes>> {
        let halves = self.multiply(py, scalars, |point, scalar| point * scalar.div_by_2())?;
        let out = py.detach(|| encode_doubles(&halves));
        Ok(PyBytes::new(py, out.as_flattened()))
    }

    fn sum(&self, py: Python<'_>) -> Self {
        let items = self.items();
        let parts = py.detach(|| {
            parallel::map_ranges(items.len(), GRAIN_ADD, |range| items[range].iter().sum::<RistrettoPoint>())
        });
        Self::new(vec![parts.iter().sum()])
    }

    fn sum_groups(&self, py: Python<'_>, size: usize) -> PyResult<Self> {
        let items = self.items();
        let length = items.len();
        if size == 0 || !length.is_multiple_of(size) {
            return Err(Error::GroupSize { length, size }.into());
        }
        let grain = GRAIN_ADD.div_ceil(size);
        let sum = |i: usize| items[i * size..(i + 1) * size].iter().sum();
        Ok(Self::new(py.detach(|| parallel::map(length / size, grain, sum))))
    }

    fn identity_mask<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let identity = RistrettoPoint::identity();
        let mask: Vec<u8> = self.items().iter().map(|point| u8::from(*point == identity)).collect();
        py.import("numpy")?.call_method1("frombuffer", (PyBytes::new(py, &mask), "bool"))
    }

    fn gather(&self, py: Python<'_>, indices: &Bound<'_, PyAny>) -> PyResult<Self> {
        let indices = vector::indices(py, indices)?;
        let gather = || -> Result<Self> {
            let encodings = self.encodings.get().map(|encodings| encodings.gather(&indices)).transpose()?;
            Ok(Self::with_encodings(self.points.gather(&indices)?, encodings))
        };
        Ok(py.detach(gather)?)
    }
}

#[pyfunction]
pub fn generator() -> ElementVector {
    ElementVector::new(vec![RISTRETTO_BASEPOINT_POINT])
}

#[pyfunction]
pub fn identity(count: usize) -> ElementVector {
    ElementVector::new(vec![RistrettoPoint::identity(); count])
}

#[pyfunction]
#[pyo3(signature = (data, *, allow_identity))]
pub fn elements_decode(py: Python<'_>, data: &[u8], allow_identity: bool) -> PyResult<ElementVector> {
    let length = whole("elements", 32, data)?;
    let (encodings, _) = data.as_chunks::<32>();
    let mut out = vec![RistrettoPoint::identity(); length];
    py.detach(|| {
        parallel::try_fill(&mut out, 256, |range, slots| -> Result<()> {
            for (index, slot) in range.zip(slots) {
                *slot = decode_one(&encodings[index], index, allow_identity)?;
            }
            Ok(())
        })
    })?;
    Ok(ElementVector::with_encodings(View::new(out), Some(View::new(encodings.to_vec()))))
}

#[pyfunction]
pub fn elements_from_uniform(py: Python<'_>, data: &[u8]) -> PyResult<ElementVector> {
    let length = whole("uniform strings", 64, data)?;
    let (uniform, _) = data.as_chunks::<64>();
    let out = py.detach(|| parallel::map(length, GRAIN_CODE, |i| RistrettoPoint::from_uniform_bytes(&uniform[i])));
    Ok(ElementVector::new(out))
}

/// The encodings of several vectors, where all are known.
fn all_encodings<'a>(vectors: &'a [Bound<'_, ElementVector>]) -> Option<Vec<&'a View<Encodings>>> {
    vectors.iter().map(|vector| vector.get().encodings.get()).collect()
}

#[pyfunction]
pub fn concat_elements(vectors: Vec<Bound<'_, ElementVector>>) -> ElementVector {
    let encodings = all_encodings(&vectors).map(|encodings| View::concat(encodings.into_iter()));
    let points = View::concat(vectors.iter().map(|vector| &vector.get().points));
    ElementVector::with_encodings(points, encodings)
}

#[pyfunction]
pub fn interleave_elements(vectors: Vec<Bound<'_, ElementVector>>) -> PyResult<ElementVector> {
    let encodings = all_encodings(&vectors).map(|encodings| View::interleave(encodings.into_iter())).transpose()?;
    let points = View::interleave(vectors.iter().map(|vector| &vector.get().points))?;
    Ok(ElementVector::with_encodings(points, encodings))
}
