//! Points of BLS12-381 as values, over the C functions of blst.
//!
//! blst's own safe interface covers signatures, not points: it has no multiplication of an arbitrary point, no negation
//! and no hashing to a point. This crate adds exactly that and holds all the `unsafe` of the native kernel. Every block
//! below passes pointers to initialised values that outlive the call, and blst writes the whole output (its functions
//! have no other contract, and keep no pointer). Points handed out are always in the prime-order subgroup, which
//! `blst_p1_mult` and `blst_p2_mult` rely on for their endomorphisms.

#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

use blst::*;

/// Why an encoding was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NotCanonical,
    NotOnCurve,
    NotInSubgroup,
    Identity,
}

macro_rules! group {
    (
        $name:ident, $affine_name:ident, $raw:ty, $raw_affine:ty, $affines:ty, $bytes:literal,
        $uncompress:ident, $in_group:ident, $affine_is_inf:ident, $from_affine:ident, $add:ident, $cneg:ident,
        $mult:ident, $compress:ident, $generator:ident, $is_inf:ident
    ) => {
        /// A point of the subgroup, projective.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name($raw);

        /// A point of the subgroup that is not the identity, affine.
        #[derive(Clone, Copy, Debug)]
        pub struct $affine_name($raw_affine);

        impl $affine_name {
            /// The only way in: canonical, on the curve, in the subgroup, not the identity.
            pub fn decode(bytes: &[u8; $bytes]) -> Result<Self, Refusal> {
                let mut point = <$raw_affine>::default();
                // SAFETY: `bytes` has the length that the function reads.
                match unsafe { $uncompress(&mut point, bytes.as_ptr()) } {
                    BLST_ERROR::BLST_SUCCESS => {}
                    BLST_ERROR::BLST_POINT_NOT_ON_CURVE => return Err(Refusal::NotOnCurve),
                    BLST_ERROR::BLST_POINT_NOT_IN_GROUP => return Err(Refusal::NotInSubgroup),
                    _ => return Err(Refusal::NotCanonical),
                }
                // SAFETY: `point` was written by the call above.
                if unsafe { $affine_is_inf(&point) } {
                    return Err(Refusal::Identity);
                }
                // SAFETY: as above; the point is on the curve.
                if !unsafe { $in_group(&point) } {
                    return Err(Refusal::NotInSubgroup);
                }
                Ok(Self(point))
            }
        }

        impl From<$affine_name> for $name {
            fn from(point: $affine_name) -> Self {
                let mut out = <$raw>::default();
                // SAFETY: both arguments are initialised values.
                unsafe { $from_affine(&mut out, &point.0) };
                Self(out)
            }
        }

        impl $name {
            pub const BYTES: usize = $bytes;

            pub fn generator() -> Self {
                // SAFETY: the function returns a pointer to a static constant.
                Self(unsafe { *$generator() })
            }

            /// Sum; complete, so equal, opposite and identity operands are fine. Constant-time.
            pub fn add(&self, other: &Self) -> Self {
                let mut out = <$raw>::default();
                // SAFETY: all arguments are initialised values.
                unsafe { $add(&mut out, &self.0, &other.0) };
                Self(out)
            }

            pub fn neg(&self) -> Self {
                let mut out = self.0;
                // SAFETY: the argument is an initialised value.
                unsafe { $cneg(&mut out, true) };
                Self(out)
            }

            /// Multiple by a little-endian scalar. Constant-time.
            pub fn mul(&self, scalar: &[u8; 32]) -> Self {
                let mut out = <$raw>::default();
                // SAFETY: the function reads 256 bits of `scalar`.
                unsafe { $mult(&mut out, &self.0, scalar.as_ptr(), 256) };
                Self(out)
            }

            pub fn encode(&self) -> [u8; $bytes] {
                let mut out = [0u8; $bytes];
                // SAFETY: `out` has the length that the function writes.
                unsafe { $compress(out.as_mut_ptr(), &self.0) };
                out
            }

            pub fn is_identity(&self) -> bool {
                // SAFETY: the argument is an initialised value.
                unsafe { $is_inf(&self.0) }
            }

            /// Affine forms, one inversion for all. Identities are left out.
            fn raw_affines<'a>(points: impl Iterator<Item = &'a Self>) -> Vec<$raw_affine> {
                let kept: Vec<$raw> = points.map(|point| point.0).collect();
                if kept.is_empty() {
                    return Vec::new();
                }
                <$affines>::from(&kept).as_slice().to_vec()
            }
        }
    };
}

group!(
    G1,
    G1Affine,
    blst_p1,
    blst_p1_affine,
    p1_affines,
    48,
    blst_p1_uncompress,
    blst_p1_affine_in_g1,
    blst_p1_affine_is_inf,
    blst_p1_from_affine,
    blst_p1_add_or_double,
    blst_p1_cneg,
    blst_p1_mult,
    blst_p1_compress,
    blst_p1_generator,
    blst_p1_is_inf
);
group!(
    G2,
    G2Affine,
    blst_p2,
    blst_p2_affine,
    p2_affines,
    96,
    blst_p2_uncompress,
    blst_p2_affine_in_g2,
    blst_p2_affine_is_inf,
    blst_p2_from_affine,
    blst_p2_add_or_double,
    blst_p2_cneg,
    blst_p2_mult,
    blst_p2_compress,
    blst_p2_generator,
    blst_p2_is_inf
);

/// BLS12381G1_XMD:SHA-256_SSWU_RO_ (RFC 9380).
pub fn hash_to_g1(message: &[u8], dst: &[u8]) -> G1 {
    let mut out = blst_p1::default();
    // SAFETY: pointers go with their lengths; a zero length is never read through.
    unsafe { blst_hash_to_g1(&mut out, message.as_ptr(), message.len(), dst.as_ptr(), dst.len(), std::ptr::null(), 0) };
    G1(out)
}

/// Sum of `weights[i] * points[i]` with 16-byte little-endian weights. Variable time.
pub fn msm_affine(weights: &[u8], points: &[G1Affine]) -> G1 {
    assert_eq!(weights.len(), 16 * points.len());
    if points.is_empty() {
        return G1::default();
    }
    let raw: Vec<blst_p1_affine> = points.iter().map(|point| point.0).collect();
    G1(raw.as_slice().mult(weights, 128))
}

/// As `msm_affine`, over projective points.
pub fn msm(weights: &[u8], points: &[G1]) -> G1 {
    assert_eq!(weights.len(), 16 * points.len());
    let mut kept_weights = Vec::with_capacity(weights.len());
    let mut kept = Vec::with_capacity(points.len());
    for (weight, point) in weights.chunks_exact(16).zip(points) {
        if !point.is_identity() {
            kept_weights.extend_from_slice(weight);
            kept.push(point);
        }
    }
    let raw = G1::raw_affines(kept.into_iter());
    if raw.is_empty() {
        return G1::default();
    }
    G1(raw.as_slice().mult(&kept_weights, 128))
}

/// A product of Miller loops, before the final exponentiation.
#[derive(Clone, Copy)]
pub struct MillerProduct(blst_fp12);

impl MillerProduct {
    /// Pairs with an identity contribute one.
    pub fn of(g1: &[G1], g2: &[G2]) -> Self {
        let pairs = || g1.iter().zip(g2).filter(|(p, q)| !p.is_identity() && !q.is_identity());
        let p = G1::raw_affines(pairs().map(|pair| pair.0));
        let q = G2::raw_affines(pairs().map(|pair| pair.1));
        if p.is_empty() {
            return Self(blst_fp12::default());
        }
        Self(blst_fp12::miller_loop_n(&q, &p))
    }

    pub fn combine(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    /// The final exponentiation, and whether it gives one.
    pub fn is_one(&self) -> bool {
        self.0.final_exp() == blst_fp12::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(value: u8) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[0] = value;
        bytes
    }

    #[test]
    fn multiples_are_repeated_sums() {
        let (g1, g2) = (G1::generator(), G2::generator());
        let (mut sum1, mut sum2) = (G1::default(), G2::default());
        for factor in 0..=17 {
            assert_eq!(g1.mul(&scalar(factor)), sum1);
            assert_eq!(g2.mul(&scalar(factor)), sum2);
            (sum1, sum2) = (sum1.add(&g1), sum2.add(&g2));
        }
        assert!(g1.add(&g1.neg()).is_identity());
        assert!(g2.add(&g2.neg()).is_identity());
    }

    #[test]
    fn decoding_inverts_encoding() {
        let (p, q) = (hash_to_g1(b"message", b"tag"), G2::generator().mul(&scalar(9)));
        assert_eq!(G1::from(G1Affine::decode(&p.encode()).unwrap()), p);
        assert_eq!(G2::from(G2Affine::decode(&q.encode()).unwrap()), q);
    }

    #[test]
    fn refusals_are_told_apart() {
        let mut bytes = [0u8; 48];
        assert_eq!(G1Affine::decode(&bytes).unwrap_err(), Refusal::NotCanonical);
        bytes[0] = 0xc0;
        assert_eq!(G1Affine::decode(&bytes).unwrap_err(), Refusal::Identity);
        bytes[0] = 0x80;
        assert_eq!(G1Affine::decode(&bytes).unwrap_err(), Refusal::NotInSubgroup);
        bytes[47] = 1;
        assert_eq!(G1Affine::decode(&bytes).unwrap_err(), Refusal::NotOnCurve);
    }

    #[test]
    fn bucket_method_equals_its_definition() {
        let points: Vec<G1> = (0..40u8).map(|i| hash_to_g1(&[i / 2], b"tag")).chain([G1::default()]).collect();
        let weights: Vec<u8> = (0..16 * points.len()).map(|i| (i * i % 251) as u8).collect();
        let mut sum = G1::default();
        for (weight, point) in weights.chunks(16).zip(&points) {
            let mut factor = [0u8; 32];
            factor[..16].copy_from_slice(weight);
            sum = sum.add(&point.mul(&factor));
        }
        assert_eq!(msm(&weights, &points), sum);
        let decoded: Vec<G1Affine> = points[..40].iter().map(|p| G1Affine::decode(&p.encode()).unwrap()).collect();
        assert_eq!(msm_affine(&weights[..640], &decoded), sum);
        assert!(msm(&[], &[]).is_identity());
    }

    #[test]
    fn pairing_is_bilinear() {
        let (p, q) = (hash_to_g1(b"message", b"tag"), G2::generator());
        let left = [p.mul(&scalar(6)), p.mul(&scalar(2)).neg(), G1::default()];
        let right = [q.mul(&scalar(5)), q.mul(&scalar(15)), q];
        assert!(MillerProduct::of(&left, &right).is_one());
        assert!(
            MillerProduct::of(&left[..1], &right[..1]).combine(MillerProduct::of(&left[1..], &right[1..])).is_one()
        );
        assert!(!MillerProduct::of(&left[..1], &right[..1]).is_one());
        assert!(MillerProduct::of(&[], &[]).is_one());
    }
}
