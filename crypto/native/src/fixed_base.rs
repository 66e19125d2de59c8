//! Precomputed multiples of one element.

use crate::elements::{ElementVector, encode_doubles};
use crate::errors::{Error, Result};
use crate::parallel;
use crate::scalars::ScalarVector;
use crate::vector::same_length;
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
        match self.table_for(scalars.len()) {
            Some(table) => table.mul(scalars),
            None => self.multiply(scalars),
        }
    }

    /// The large table, once it is worth it.
    fn table_for(&self, count: usize) -> Option<&WindowTable> {
        let asked = self.asked.fetch_add(count, Ordering::Relaxed).saturating_add(count);
        if asked < WORTH && self.variable_time.get().is_none() {
            return None;
        }
        Some(self.variable_time.get_or_init(|| WindowTable::new(&self.base)))
    }

    fn multiply_add_vartime(&self, scalars: &[Scalar], elements: &[RistrettoPoint]) -> Vec<RistrettoPoint> {
        let mut sums = elements.to_vec();
        match self.table_for(scalars.len()) {
            Some(table) => table.add(&mut sums, scalars),
            None => sums.iter_mut().zip(self.multiply(scalars)).for_each(|(sum, multiple)| *sum += multiple),
        }
        sums
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

    fn mul_add_vartime(
        &self,
        py: Python<'_>,
        scalars: &Bound<'_, ScalarVector>,
        elements: &Bound<'_, ElementVector>,
    ) -> PyResult<ElementVector> {
        let (scalars, elements) = (scalars.get().items(), elements.get().items());
        same_length(scalars.len(), elements.len())?;
        Ok(ElementVector::new(py.detach(|| self.multiply_add_vartime(scalars, elements))))
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
