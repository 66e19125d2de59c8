//! Values of polynomials whose coefficients are rows of elements: the evaluation step of Toom-Cook multiplication.

use crate::elements::ElementVector;
use crate::errors::{Error, Result};
use crate::parallel;
use curve25519_dalek::RistrettoPoint;
use pyo3::prelude::*;

const GRAIN: usize = 256;

fn double(point: RistrettoPoint) -> RistrettoPoint {
    point + point
}

/// The vector holds the blocks c0, c1, c2, c3. Values of c0 + c1 Y + c2 Y^2 + c3 Y^3, entry by entry: at 1 and -1 (place
/// 0), at 2 and -2 (place 1), or 8 times the value at 1/2 (place 2). Constant-time.
#[pyfunction]
pub fn evaluate_cubic(
    py: Python<'_>,
    elements: &Bound<'_, ElementVector>,
    place: usize,
) -> PyResult<Vec<ElementVector>> {
    let points = elements.get().items();
    let evaluate = || -> Result<Vec<Vec<RistrettoPoint>>> {
        let size = points.len() / 4;
        if !points.len().is_multiple_of(4) {
            return Err(Error::Rows { length: points.len(), rows: 4 });
        }
        if place > 2 {
            return Err(Error::Index { index: place, length: 3 });
        }
        let [c0, c1, c2, c3] = [0, 1, 2, 3].map(|block| &points[block * size..(block + 1) * size]);
        if place == 2 {
            let half = |i| double(double(double(c0[i]) + c1[i]) + c2[i]) + c3[i];
            return Ok(vec![parallel::map(size, GRAIN, half)]);
        }
        let pair = |i: usize| {
            let (even, odd) = match place {
                0 => (c0[i] + c2[i], c1[i] + c3[i]),
                _ => (c0[i] + double(double(c2[i])), double(c1[i] + double(double(c3[i])))),
            };
            (even + odd, even - odd)
        };
        let (plus, minus) = parallel::map(size, GRAIN, pair).into_iter().unzip();
        Ok(vec![plus, minus])
    };
    Ok(py.detach(evaluate)?.into_iter().map(ElementVector::new).collect())
}
