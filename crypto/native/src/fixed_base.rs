//! Precomputed multiples of one element.

use crate::elements::{ElementVector, encode_doubles};
use crate::errors::{Error, Result};
use crate::parallel;
use crate::scalars::ScalarVector;
use crate::window_table::WindowTable;
use curve25519_dalek::ristretto::RistrettoBasepointTable;
use curve25519_dalek::{RistrettoPoint, Scalar};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeroize::Zeroizing;

const GRAIN: usize = 16;
/// The large table is made once this many multiples have been asked for.
const WORTH: usize = 2048;

/// Tables of one element: a small one for constant time, a large one made when it is first worth it.
#[pyclass(frozen, module = "crypto.group._native")]
pub struct FixedBase {
    base: RistrettoPoint,
    constant_time: RistrettoBasepointTable,
    variable_time: OnceLock<WindowTable>,
    asked: AtomicUsize,
}

impl FixedBase {
    fn multiply(&self, scalars: &[Scalar]) -> Vec<RistrettoPoint> {
        parallel::map(scalars.len(), GRAIN, |i| &scalars[i] * &self.constant_time)
    }

    fn multiply_vartime(&self, scalars: &[Scalar]) -> Vec<RistrettoPoint> {
        let asked = self.asked.fetch_add(scalars.len(), Ordering::Relaxed).saturating_add(scalars.len());
        if asked < WORTH && self.variable_time.get().is_none() {
            return self.multiply(scalars);
        }
        let table = self.variable_time.get_or_init(|| WindowTable::new(&self.base));
        table.mul(scalars)
    }
}

fn halves(scalars: &[Scalar]) -> Zeroizing<Vec<Scalar>> {
    Zeroizing::new(scalars.iter().map(Scalar::div_by_2).collect())
}

#[pymethods]
impl FixedBase {
    fn mul(&self, py: Python<'_>, scalars: &Bound<'_, ScalarVector>) -> ElementVector {
        let scalars = scalars.get().items();
        ElementVector::new(py.detach(|| self.multiply(scalars)))
    }

    fn mul_vartime(&self, py: Python<'_>, scalars: &Bound<'_, ScalarVector>) -> ElementVector {
        let scalars = scalars.get().items();
        ElementVector::new(py.detach(|| self.multiply_vartime(scalars)))
    }

    fn mul_encode<'py>(&self, py: Python<'py>, scalars: &Bound<'py, ScalarVector>) -> Bound<'py, PyBytes> {
        let scalars = scalars.get().items();
        let out = py.detach(|| encode_doubles(&self.multiply(&halves(scalars))));
        PyBytes::new(py, out.as_flattened())
    }

    fn mul_encode_vartime<'py>(&self, py: Python<'py>, scalars: &Bound<'py, ScalarVector>) -> Bound<'py, PyBytes> {
        let scalars = scalars.get().items();
        let out = py.detach(|| encode_doubles(&self.multiply_vartime(&halves(scalars))));
        PyBytes::new(py, out.as_flattened())
    }
}

#[pyfunction]
pub fn fixed_base(py: Python<'_>, element: &Bound<'_, ElementVector>) -> PyResult<FixedBase> {
    let points = element.get().items();
    let make = || -> Result<FixedBase> {
        let [base] = points else {
            return Err(Error::Lengths { left: points.len(), right: 1 });
        };
        let constant_time = RistrettoBasepointTable::create(base);
        Ok(FixedBase { base: *base, constant_time, variable_time: OnceLock::new(), asked: AtomicUsize::new(0) })
    };
    Ok(py.detach(make)?)
}
