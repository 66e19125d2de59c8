//! What can go wrong, and its one mapping to Python exceptions.

use blst_shim::Refusal;
use pyo3::exceptions::{PyIndexError, PyTypeError, PyValueError, PyZeroDivisionError};
use pyo3::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// Input that is not a whole number of items.
    Multiple {
        what: &'static str,
        unit: usize,
        got: usize,
    },
    ScalarRange {
        index: usize,
    },
    ElementEncoding {
        index: usize,
    },
    ElementIdentity {
        index: usize,
    },
    Point {
        group: &'static str,
        index: usize,
        why: Refusal,
    },
    Lengths {
        left: usize,
        right: usize,
    },
    Rows {
        length: usize,
        rows: usize,
    },
    GroupSize {
        length: usize,
        size: usize,
    },
    Index {
        index: usize,
        length: usize,
    },
    Inverse {
        index: usize,
    },
    Tag {
        got: usize,
    },
    NotSlice,
    NotIndices,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn decode_index(&self) -> Option<Option<usize>> {
        match *self {
            Error::Multiple { .. } => Some(None),
            Error::ScalarRange { index }
            | Error::ElementEncoding { index }
            | Error::ElementIdentity { index }
            | Error::Point { index, .. } => Some(Some(index)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Error::Multiple { what, unit, got } => {
                write!(f, "{what} take a multiple of {unit} bytes, got {got}")
            }
            Error::ScalarRange { index } => {
                write!(f, "scalar {index} is not below the group order")
            }
            Error::ElementEncoding { index } => {
                write!(f, "element {index} is not a canonical encoding")
            }
            Error::ElementIdentity { index } => write!(f, "element {index} is the identity"),
            Error::Point { group, index, why } => {
                let why = match why {
                    Refusal::NotCanonical => "not a canonical encoding",
                    Refusal::NotOnCurve => "not on the curve",
                    Refusal::NotInSubgroup => "not in the subgroup",
                    Refusal::Identity => "the identity",
                };
                write!(f, "{group} point {index} is {why}")
            }
            Error::Lengths { left, right } => write!(f, "lengths differ: {left} and {right}"),
            Error::Rows { length, rows } => write!(f, "{length} entries do not make {rows} rows"),
            Error::GroupSize { length, size } => {
                write!(f, "{length} entries do not make runs of {size}")
            }
            Error::Index { index, length } => {
                write!(f, "index {index} is out of range for {length} entries")
            }
            Error::Inverse { index } => write!(f, "scalar {index} is zero and has no inverse"),
            Error::Tag { got } => write!(f, "a domain separation tag has 1 to 255 bytes, got {got}"),
            Error::NotSlice => write!(f, "vectors take slices only"),
            Error::NotIndices => write!(f, "indices are a one-dimensional array of uint32"),
        }
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        let message = error.to_string();
        if let Some(index) = error.decode_index() {
            return Python::attach(|py| {
                let class = py.import("crypto.errors").and_then(|module| module.getattr("DecodeError"));
                match class.and_then(|class| class.call1((message, index))) {
                    Ok(instance) => PyErr::from_value(instance),
                    Err(failure) => failure,
                }
            });
        }
        match error {
            Error::Index { .. } => PyIndexError::new_err(message),
            Error::Inverse { .. } => PyZeroDivisionError::new_err(message),
            Error::NotSlice | Error::NotIndices => PyTypeError::new_err(message),
            _ => PyValueError::new_err(message),
        }
    }
}
