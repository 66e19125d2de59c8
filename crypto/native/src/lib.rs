//! Vector arithmetic over ristretto255 and BLS12-381 for Python. Arithmetic, and nothing else.

mod bls;
mod elements;
mod errors;
mod fixed_base;
mod msm;
mod parallel;
mod polynomials;
mod scalars;
mod vector;
mod window_table;

use pyo3::prelude::*;

#[pyfunction]
fn set_threads(count: usize) {
    parallel::set_threads(count);
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::set_threads;
    #[pymodule_export]
    use crate::bls::{
        G1Vector, G2Vector, g1_decode, g1_generator, g1_msm, g1_msm_decode, g1_msm_hash, g2_decode, g2_generator,
        hash_to_g1, pairing_product_is_one,
    };
    #[pymodule_export]
    use crate::elements::{
        ElementVector, concat_elements, elements_decode, elements_from_uniform, generator, identity,
        interleave_elements,
    };
    #[pymodule_export]
    use crate::fixed_base::{FixedBase, fixed_base};
    #[pymodule_export]
    use crate::msm::{msm, msm_decode};
    #[pymodule_export]
    use crate::polynomials::evaluate_cubic;
    #[pymodule_export]
    use crate::scalars::{
        ScalarVector, concat_scalars, interleave_scalars, powers, scalars_decode, scalars_short, scalars_wide,
    };
}
