//! Precomputed multiples of one element.

use crate::elements::{ElementVector, encode_doubles};
use crate::errors::{Error, Result};
use crate::parallel;
use crate::scalars::ScalarVector;
use curve25519_dalek::ristretto::RistrettoBasepointTable;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use zeroize::Zeroizing;

const GRAIN: usize = 16;
/// Digits of the variable-time table; ADR 0004 has the measurements.
const WINDOW: usize = 12;
const WINDOWS: usize = 254_usize.div_ceil(WINDOW);
const HALF: usize = 1 << (WINDOW - 1);
/// The large table is made once this many multiples have been asked for.
const WORTH: usize = 2048;

/// `tables[w][d - 1] = d * 2^(WINDOW * w) * base` for digits d of 1 to HALF.
struct WindowTable(Vec<RistrettoPoint>);

impl WindowTable {
    fn new(base: &RistrettoPoint) -> Self {
        let mut table = Vec::with_capacity(WINDOWS * HALF);
        let mut unit = *base;
        for _ in 0..WINDOWS {
            let mut multiple = unit;
            for _ in 0..HALF {
                table.push(multiple);
                multiple += unit;
            }
            // HALF + HALF = 2^WINDOW
            let last = table[table.len() - 1];
            unit = last + last;
        }
        Self(table)
    }

    /// Signed digits: a digit above HALF borrows from the next window.
    fn mul(&self, scalar: &Scalar) -> RistrettoPoint {
        let mut bytes = [0u8; 40];
        bytes[..32].copy_from_slice(scalar.as_bytes());
        let mut sum = RistrettoPoint::identity();
        let mut carry = 0usize;
        for window in 0..WINDOWS {
            let bit = window * WINDOW;
            let (words, _) = bytes[bit / 8..].as_chunks::<4>();
            let digit = ((u32::from_le_bytes(words[0]) as usize >> (bit % 8)) & (2 * HALF - 1)) + carry;
            carry = usize::from(digit > HALF);
            let table = &self.0[window * HALF..(window + 1) * HALF];
            if carry == 1 {
                if digit < 2 * HALF {
                    sum -= table[2 * HALF - digit - 1];
                }
            } else if digit > 0 {
                sum += table[digit - 1];
            }
        }
        sum
    }
}

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
        parallel::map(scalars.len(), GRAIN, |i| table.mul(&scalars[i]))
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
