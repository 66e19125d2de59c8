//! Multi-scalar multiplication. Variable time.

use crate::elements::{ElementVector, decode_one};
use crate::errors::Result;
use crate::parallel;
use crate::scalars::ScalarVector;
use crate::vector::{same_length, whole};
use curve25519_dalek::traits::VartimeMultiscalarMul;
use curve25519_dalek::{RistrettoPoint, Scalar};
use pyo3::prelude::*;

/// Terms whose points and digits stay in the second-level cache; one large call of dalek is a fifth slower.
const CHUNK: usize = 8192;
/// Below this the buckets cost more than a second core gains.
const SMALLEST_CHUNK: usize = 1024;

/// Equal chunks: as few as the cache allows, but one per thread where there is enough to do.
fn chunk_length(terms: usize) -> usize {
    let chunks = terms.div_ceil(CHUNK).max(parallel::threads().min(terms / SMALLEST_CHUNK)).max(1);
    terms.div_ceil(chunks).max(1)
}

#[pyfunction]
pub fn msm(
    py: Python<'_>,
    scalars: &Bound<'_, ScalarVector>,
    elements: &Bound<'_, ElementVector>,
) -> PyResult<ElementVector> {
    let (scalars, points) = (scalars.get().items(), elements.get().items());
    same_length(scalars.len(), points.len())?;
    let parts = py.detach(|| {
        parallel::map_ranges(points.len(), chunk_length(points.len()), |range| {
            RistrettoPoint::vartime_multiscalar_mul(&scalars[range.clone()], &points[range])
        })
    });
    Ok(ElementVector::new(vec![parts.iter().sum()]))
}

fn msm_decode_chunk(
    scalars: &[Scalar],
    encodings: &[[u8; 32]],
    first: usize,
    allow_identity: bool,
) -> Result<RistrettoPoint> {
    let decode = |(i, encoding)| decode_one(encoding, first + i, allow_identity);
    let points: Vec<RistrettoPoint> = encodings.iter().enumerate().map(decode).collect::<Result<_>>()?;
    Ok(RistrettoPoint::vartime_multiscalar_mul(scalars, &points))
}

/// Memory beyond the input: one chunk of points per thread.
#[pyfunction]
#[pyo3(signature = (scalars, data, *, allow_identity))]
pub fn msm_decode(
    py: Python<'_>,
    scalars: &Bound<'_, ScalarVector>,
    data: &[u8],
    allow_identity: bool,
) -> PyResult<ElementVector> {
    let length = whole("elements", 32, data)?;
    let (encodings, _) = data.as_chunks::<32>();
    let scalars = scalars.get().items();
    same_length(scalars.len(), length)?;
    let parts = py.detach(|| {
        let chunk = |range: std::ops::Range<usize>| {
            msm_decode_chunk(&scalars[range.clone()], &encodings[range.clone()], range.start, allow_identity)
        };
        parallel::map_ranges(length, chunk_length(length), chunk).into_iter().collect::<Result<Vec<_>>>()
    })?;
    Ok(ElementVector::new(vec![parts.iter().sum()]))
}
