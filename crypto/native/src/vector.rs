//! What all vectors share: an immutable store, and views on it that cost nothing to slice.

use crate::errors::{Error, Result};
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::types::PySlice;
use std::sync::Arc;

/// A contiguous part of a shared store.
pub struct View<S> {
    store: Arc<S>,
    start: usize,
    length: usize,
}

/// A store of items of one type.
pub trait Store: Sized {
    type Item: Copy + Send + Sync;
    fn new(items: Vec<Self::Item>) -> Self;
    fn items(&self) -> &[Self::Item];
}

impl<S: Store> View<S> {
    pub fn new(items: Vec<S::Item>) -> Self {
        let length = items.len();
        Self { store: Arc::new(S::new(items)), start: 0, length }
    }

    pub fn items(&self) -> &[S::Item] {
        &self.store.items()[self.start..self.start + self.length]
    }

    pub fn slice(&self, index: &Bound<'_, PyAny>) -> PyResult<Self> {
        let slice = index.cast::<PySlice>().map_err(|_| Error::NotSlice)?;
        let range = slice.indices(self.length as isize)?;
        let (start, length) = (range.start as usize, range.slicelength);
        // A small slice is copied, so that it does not keep a large store alive.
        if range.step == 1 && length.saturating_mul(8) > self.store.items().len() {
            return Ok(Self { store: Arc::clone(&self.store), start: self.start + start, length });
        }
        let items = self.items();
        let entry = |i: usize| items[(range.start + i as isize * range.step) as usize];
        Ok(Self::new((0..length).map(entry).collect()))
    }

    pub fn gather(&self, indices: &[u32]) -> Result<Self> {
        let items = self.items();
        let entry = |&index: &u32| {
            let index = index as usize;
            items.get(index).copied().ok_or(Error::Index { index, length: items.len() })
        };
        Ok(Self::new(indices.iter().map(entry).collect::<Result<_>>()?))
    }

    pub fn concat<'a>(views: impl Iterator<Item = &'a Self>) -> Self
    where
        S: 'a,
    {
        let parts: Vec<&[S::Item]> = views.map(Self::items).collect();
        Self::new(parts.concat())
    }

    pub fn interleave<'a>(views: impl Iterator<Item = &'a Self>) -> Result<Self>
    where
        S: 'a,
    {
        let columns: Vec<&[S::Item]> = views.map(Self::items).collect();
        let rows = columns.first().map_or(0, |column| column.len());
        for column in &columns {
            same_length(rows, column.len())?;
        }
        let mut items = Vec::with_capacity(rows * columns.len());
        for row in 0..rows {
            items.extend(columns.iter().map(|column| column[row]));
        }
        Ok(Self::new(items))
    }
}

pub fn same_length(left: usize, right: usize) -> Result<()> {
    if left == right { Ok(()) } else { Err(Error::Lengths { left, right }) }
}

/// The length of a result where a vector of length one is repeated as often as the other needs it.
pub fn broadcast_length(left: usize, right: usize) -> Result<usize> {
    match (left, right) {
        (1, n) | (n, 1) => Ok(n),
        (left, right) => same_length(left, right).map(|()| left),
    }
}

/// Entry `i`, or the only entry.
pub fn broadcast<T>(items: &[T], i: usize) -> &T {
    if items.len() == 1 { &items[0] } else { &items[i] }
}

pub fn whole(what: &'static str, unit: usize, data: &[u8]) -> Result<usize> {
    if data.len().is_multiple_of(unit) {
        Ok(data.len() / unit)
    } else {
        Err(Error::Multiple { what, unit, got: data.len() })
    }
}

pub fn indices(py: Python<'_>, array: &Bound<'_, PyAny>) -> PyResult<Vec<u32>> {
    let buffer = PyBuffer::<u32>::get(array).map_err(|_| Error::NotIndices)?;
    if buffer.dimensions() != 1 {
        return Err(Error::NotIndices.into());
    }
    buffer.to_vec(py)
}
