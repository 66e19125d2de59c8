//! Variable-time multiples of one element from a large table.

use crate::parallel;
use curve25519_dalek::traits::Identity;
use curve25519_dalek::{RistrettoPoint, Scalar};

/// Bits of a digit; ADR 0004 has the measurements.
const WINDOW: usize = 13;
const WINDOWS: usize = 254_usize.div_ceil(WINDOW);
const HALF: usize = 1 << (WINDOW - 1);
/// Sums that are worked on together. All of them go through one window before the next: a window's part of the table
/// stays in the second-level cache, while the sums stream through.
const BLOCK: usize = 65_536;

/// `tables[w][d - 1] = d * 2^(WINDOW * w) * base` for digits d of 1 to HALF.
pub struct WindowTable(Vec<RistrettoPoint>);

impl WindowTable {
    pub fn new(base: &RistrettoPoint) -> Self {
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

    pub fn mul(&self, scalars: &[Scalar]) -> Vec<RistrettoPoint> {
        let mut out = vec![RistrettoPoint::identity(); scalars.len()];
        self.in_blocks(&mut out, scalars, true);
        out
    }

    /// Add a multiple to each of the sums.
    pub fn add(&self, sums: &mut [RistrettoPoint], scalars: &[Scalar]) {
        self.in_blocks(sums, scalars, false);
    }

    fn in_blocks(&self, sums: &mut [RistrettoPoint], scalars: &[Scalar], fresh: bool) {
        let block = BLOCK.min(scalars.len().div_ceil(parallel::threads())).max(1);
        parallel::fill(sums, block, |range, sums| self.add_block(sums, &scalars[range], fresh));
    }

    /// Sums that are `fresh` are identities, to which nothing need be added.
    fn add_block(&self, sums: &mut [RistrettoPoint], scalars: &[Scalar], fresh: bool) {
        let digits: Vec<[i16; WINDOWS]> = scalars.iter().map(signed_digits).collect();
        for (window, table) in self.0.chunks_exact(HALF).enumerate() {
            for (sum, digits) in sums.iter_mut().zip(&digits) {
                let digit = digits[window];
                let multiple = usize::from(digit.unsigned_abs());
                match (digit.signum(), fresh && window == 0) {
                    (0, _) => {}
                    (1, true) => *sum = table[multiple - 1],
                    (_, true) => *sum = -table[multiple - 1],
                    (1, false) => *sum += table[multiple - 1],
                    _ => *sum -= table[multiple - 1],
                }
            }
        }
    }
}

/// Digits of -HALF + 1 to HALF, least significant first: one above HALF borrows from the next.
fn signed_digits(scalar: &Scalar) -> [i16; WINDOWS] {
    let mut bytes = [0u8; 40];
    bytes[..32].copy_from_slice(scalar.as_bytes());
    let mut digits = [0i16; WINDOWS];
    let mut carry = 0i32;
    for (window, digit) in digits.iter_mut().enumerate() {
        let bit = window * WINDOW;
        let (words, _) = bytes[bit / 8..].as_chunks::<4>();
        let value = (u32::from_le_bytes(words[0]) >> (bit % 8)) as i32 & (2 * HALF as i32 - 1);
        let value = value + carry;
        carry = i32::from(value > HALF as i32);
        *digit = (value - carry * 2 * HALF as i32) as i16;
    }
    digits
}
