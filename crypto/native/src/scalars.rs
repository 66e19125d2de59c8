//! Vectors of scalars modulo the order of ristretto255.
//!
//! Everything is constant-time in the values of the scalars; lengths and indices are public. Lone integers pass through
//! Python, whose arithmetic is not.

use crate::errors::{Error, Result};
use crate::parallel;
use crate::vector::{self, Store, View, same_length, whole};
use curve25519_dalek::Scalar;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyList};
use std::sync::LazyLock;
use zeroize::Zeroize;

const GRAIN: usize = 4096;

/// Scalars that are wiped when the last vector over them goes.
pub struct Scalars(Vec<Scalar>);

impl Store for Scalars {
    type Item = Scalar;

    fn new(items: Vec<Scalar>) -> Self {
        Self(items)
    }

    fn items(&self) -> &[Scalar] {
        &self.0
    }
}

impl Drop for Scalars {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A sum of products below 2^576, reduced when it is read.
#[derive(Clone, Copy)]
struct Accumulator([u64; 9]);

type Limbs = [u64; 4];

fn limbs(scalar: &Scalar) -> Limbs {
    let (words, _) = scalar.as_bytes().as_chunks::<8>();
    [0, 1, 2, 3].map(|i| u64::from_le_bytes(words[i]))
}

impl Accumulator {
    const ZERO: Self = Self([0; 9]);

    /// Adds `a * b`. 2^64 products fit.
    #[inline(always)]
    fn add_product(&mut self, a: &Limbs, b: &Limbs) {
        let sum = &mut self.0;
        let mut product = [0u64; 8];
        for i in 0..4 {
            let mut carry = 0u64;
            for j in 0..4 {
                let t = u128::from(a[i]) * u128::from(b[j]) + u128::from(product[i + j]) + u128::from(carry);
                product[i + j] = t as u64;
                carry = (t >> 64) as u64;
            }
            product[i + 4] = carry;
        }
        let mut carry = false;
        for i in 0..8 {
            (sum[i], carry) = add_with_carry(sum[i], product[i], carry);
        }
        sum[8] += u64::from(carry);
    }

    /// The sum modulo the order, of so many products.
    fn reduce(&self, products: usize) -> Scalar {
        let mut low = [0u8; 64];
        for (bytes, word) in low.chunks_exact_mut(8).zip(&self.0) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        let sum = Scalar::from_bytes_mod_order_wide(&low);
        // Scalars are below 2^253, so 64 products stay below 2^512.
        if products <= 64 { sum } else { sum + *TWO_TO_512 * Scalar::from(self.0[8]) }
    }
}

/// What the top word of an accumulator stands for.
static TWO_TO_512: LazyLock<Scalar> = LazyLock::new(|| {
    let mut power = [0u8; 64];
    power[32] = 1;
    let root = Scalar::from_bytes_mod_order_wide(&power);
    root * root
});

#[inline(always)]
fn add_with_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first | second)
}

/// An immutable vector of scalars modulo the group order.
#[pyclass(frozen, module = "crypto.group._native")]
pub struct ScalarVector(View<Scalars>);

impl ScalarVector {
    pub fn new(items: Vec<Scalar>) -> Self {
        Self(View::new(items))
    }

    pub fn items(&self) -> &[Scalar] {
        self.0.items()
    }
}

/// The other operand: a vector of the same length, or one integer.
enum Operand<'a> {
    Vector(&'a [Scalar]),
    One(Scalar),
}

impl Operand<'_> {
    fn at(&self, i: usize) -> &Scalar {
        match self {
            Operand::Vector(items) => &items[i],
            Operand::One(scalar) => scalar,
        }
    }
}

/// A Python integer modulo `order`, little-endian.
pub fn residue(value: &Bound<'_, PyAny>, order: &[u8; 32]) -> PyResult<[u8; 32]> {
    let order = int_from_bytes(value.py(), order)?;
    let bytes = value.rem(order)?.call_method1("to_bytes", (32, "little"))?;
    Ok(bytes.cast::<PyBytes>()?.as_bytes().try_into()?)
}

fn scalar_from_int(value: &Bound<'_, PyAny>) -> PyResult<Scalar> {
    Ok(Scalar::from_bytes_mod_order(residue(value, &ORDER)?))
}

pub fn int_from_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    py.get_type::<PyInt>().call_method1("from_bytes", (PyBytes::new(py, bytes), "little"))
}

const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl ScalarVector {
    fn combine(
        &self,
        other: &Bound<'_, PyAny>,
        f: impl Fn(&Scalar, &Scalar) -> Scalar + Sync + Send,
    ) -> PyResult<Py<PyAny>> {
        let py = other.py();
        let operand = if let Ok(vector) = other.cast::<ScalarVector>() {
            same_length(self.items().len(), vector.get().items().len())?;
            Operand::Vector(vector.get().items())
        } else if other.is_instance_of::<PyInt>() {
            Operand::One(scalar_from_int(other)?)
        } else {
            return Ok(py.NotImplemented());
        };
        let items = self.items();
        let out = py.detach(|| parallel::map(items.len(), GRAIN, |i| f(&items[i], operand.at(i))));
        Ok(Py::new(py, Self::new(out))?.into_any())
    }
}

#[pymethods]
impl ScalarVector {
    fn __len__(&self) -> usize {
        self.items().len()
    }

    fn __getitem__(&self, index: &Bound<'_, PyAny>) -> PyResult<Self> {
        self.0.slice(index).map(Self)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> Py<PyAny> {
        let py = other.py();
        match other.cast::<ScalarVector>() {
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

    fn __mul__(&self, other: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.combine(other, |a, b| a * b)
    }

    fn __neg__(&self, py: Python<'_>) -> Self {
        let items = self.items();
        Self::new(py.detach(|| parallel::map(items.len(), GRAIN, |i| -items[i])))
    }

    fn encode<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes: Vec<[u8; 32]> = self.items().iter().map(Scalar::to_bytes).collect();
        PyBytes::new(py, bytes.as_flattened())
    }

    fn to_ints<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let ints: PyResult<Vec<_>> = self.items().iter().map(|scalar| int_from_bytes(py, scalar.as_bytes())).collect();
        PyList::new(py, ints?)
    }

    fn sum<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let sum: Scalar = self.items().iter().sum();
        int_from_bytes(py, sum.as_bytes())
    }

    fn inner<'py>(&self, py: Python<'py>, other: &Bound<'py, ScalarVector>) -> PyResult<Bound<'py, PyAny>> {
        let (left, right) = (self.items(), other.get().items());
        same_length(left.len(), right.len())?;
        let parts = py.detach(|| {
            parallel::map_ranges(left.len(), GRAIN, |range| {
                let mut sum = Accumulator::ZERO;
                for (a, b) in left[range.clone()].iter().zip(&right[range.clone()]) {
                    sum.add_product(&limbs(a), &limbs(b));
                }
                sum.reduce(range.len())
            })
        });
        let sum: Scalar = parts.iter().sum();
        int_from_bytes(py, sum.as_bytes())
    }

    fn gather(&self, py: Python<'_>, indices: &Bound<'_, PyAny>) -> PyResult<Self> {
        let indices = vector::indices(py, indices)?;
        Ok(Self(py.detach(|| self.0.gather(&indices))?))
    }

    fn prefix_products(&self, py: Python<'_>) -> Self {
        let mut product = Scalar::ONE;
        let step = |scalar: &Scalar| {
            product *= scalar;
            product
        };
        Self::new(py.detach(|| self.items().iter().map(step).collect()))
    }

    fn invert(&self, py: Python<'_>) -> PyResult<Self> {
        let mut out = self.items().to_vec();
        if let Some(index) = out.iter().position(|scalar| *scalar == Scalar::ZERO) {
            return Err(Error::Inverse { index }.into());
        }
        py.detach(|| {
            if !out.is_empty() {
                parallel::fill(&mut out, GRAIN, |_, slots| {
                    Scalar::invert_batch_alloc(slots);
                });
            }
        });
        Ok(Self::new(out))
    }

    fn combine_rows(&self, py: Python<'_>, weights: &Bound<'_, ScalarVector>) -> PyResult<Self> {
        let (items, weights) = (self.items(), weights.get().items());
        let (length, rows) = (items.len(), weights.len());
        if rows == 0 || !length.is_multiple_of(rows) {
            return Err(Error::Rows { length, rows }.into());
        }
        let columns = length / rows;
        let weights: Vec<Limbs> = weights.iter().map(limbs).collect();
        let mut out = vec![Scalar::ZERO; columns];
        // Runs short enough that their accumulators stay in the first-level cache.
        let run = 64;
        py.detach(|| {
            parallel::fill(&mut out, run, |range, slots| {
                let mut sums = vec![Accumulator::ZERO; slots.len()];
                for (row, weight) in weights.iter().enumerate() {
                    let entries = &items[row * columns + range.start..row * columns + range.end];
                    for (sum, entry) in sums.iter_mut().zip(entries) {
                        sum.add_product(&limbs(entry), weight);
                    }
                }
                for (slot, sum) in slots.iter_mut().zip(&sums) {
                    *slot = sum.reduce(rows);
                }
            });
        });
        Ok(Self::new(out))
    }
}

#[pyfunction]
pub fn scalars_decode(py: Python<'_>, data: &[u8]) -> PyResult<ScalarVector> {
    let length = whole("scalars", 32, data)?;
    let (encodings, _) = data.as_chunks::<32>();
    let mut out = vec![Scalar::ZERO; length];
    py.detach(|| {
        parallel::try_fill(&mut out, GRAIN, |range, slots| -> Result<()> {
            for (index, slot) in range.zip(slots) {
                *slot =
                    Option::from(Scalar::from_canonical_bytes(encodings[index])).ok_or(Error::ScalarRange { index })?;
            }
            Ok(())
        })
    })?;
    Ok(ScalarVector::new(out))
}

#[pyfunction]
pub fn scalars_wide(py: Python<'_>, data: &[u8]) -> PyResult<ScalarVector> {
    let length = whole("wide scalars", 64, data)?;
    let (wide, _) = data.as_chunks::<64>();
    let out = py.detach(|| parallel::map(length, GRAIN, |i| Scalar::from_bytes_mod_order_wide(&wide[i])));
    Ok(ScalarVector::new(out))
}

#[pyfunction]
pub fn scalars_short(py: Python<'_>, data: &[u8]) -> PyResult<ScalarVector> {
    let length = whole("short scalars", 16, data)?;
    let (short, _) = data.as_chunks::<16>();
    let out = py.detach(|| parallel::map(length, GRAIN, |i| Scalar::from(u128::from_le_bytes(short[i]))));
    Ok(ScalarVector::new(out))
}

#[pyfunction]
pub fn powers(
    py: Python<'_>,
    base: &Bound<'_, PyInt>,
    count: usize,
    first: &Bound<'_, PyInt>,
) -> PyResult<ScalarVector> {
    let base_scalar = scalar_from_int(base.as_any())?;
    let order = int_from_bytes(py, &ORDER)?;
    let start = scalar_from_int(&base.as_any().pow(first, order)?)?;
    let next = |power: &Scalar| Some(power * base_scalar);
    let out = py.detach(|| std::iter::successors(Some(start), next).take(count).collect());
    Ok(ScalarVector::new(out))
}

#[pyfunction]
pub fn concat_scalars(vectors: Vec<Bound<'_, ScalarVector>>) -> ScalarVector {
    ScalarVector(View::concat(vectors.iter().map(|vector| &vector.get().0)))
}

#[pyfunction]
pub fn interleave_scalars(vectors: Vec<Bound<'_, ScalarVector>>) -> PyResult<ScalarVector> {
    Ok(ScalarVector(View::interleave(vectors.iter().map(|vector| &vector.get().0))?))
}
