//! One pool of worker threads for every vector operation.

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

struct State {
    /// Zero: as many threads as there are cores.
    wanted: usize,
    /// The pool with the process it belongs to: after a fork its threads do not exist in the child.
    pool: Option<(u32, Arc<ThreadPool>)>,
}

static STATE: Mutex<State> = Mutex::new(State { wanted: 0, pool: None });

impl State {
    /// Takes the place of the pool. One from before a fork is leaked: its threads are gone, and nobody could stop them.
    fn replace(&mut self, pool: Option<(u32, Arc<ThreadPool>)>) {
        if let Some((owner, stale)) = std::mem::replace(&mut self.pool, pool)
            && owner != std::process::id()
        {
            std::mem::forget(stale);
        }
    }
}

/// Use `count` threads from now on; zero stands for all cores.
pub fn set_threads(count: usize) {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    state.wanted = count;
    state.replace(None);
}

/// None where everything shall run on the calling thread.
fn pool() -> Option<Arc<ThreadPool>> {
    let mut state = STATE.lock().unwrap_or_else(PoisonError::into_inner);
    if state.wanted == 1 {
        return None;
    }
    let process = std::process::id();
    match &state.pool {
        Some((owner, pool)) if *owner == process => Some(Arc::clone(pool)),
        _ => {
            let pool = Arc::new(ThreadPoolBuilder::new().num_threads(state.wanted).build().ok()?);
            state.replace(Some((process, Arc::clone(&pool))));
            Some(pool)
        }
    }
}

pub fn threads() -> usize {
    pool().map_or(1, |pool| pool.current_num_threads())
}

/// `f(0) .. f(length - 1)`, in runs of at least `grain` per thread.
pub fn map<T: Send>(length: usize, grain: usize, f: impl Fn(usize) -> T + Sync + Send) -> Vec<T> {
    match if length > grain { pool() } else { None } {
        Some(pool) => pool.install(|| (0..length).into_par_iter().with_min_len(grain).map(f).collect()),
        None => (0..length).map(f).collect(),
    }
}

/// `f` over consecutive ranges of `chunk` indices, results in order.
pub fn map_ranges<T: Send>(length: usize, chunk: usize, f: impl Fn(Range<usize>) -> T + Sync + Send) -> Vec<T> {
    let range = |i: usize| i * chunk..length.min((i + 1) * chunk);
    map(length.div_ceil(chunk), 1, |i| f(range(i)))
}

/// Fill consecutive runs of `out`, `chunk` entries each; `f` gets the range of indices and their slots. The failure of
/// the lowest range wins.
pub fn try_fill<T: Send, E: Send>(
    out: &mut [T],
    chunk: usize,
    f: impl Fn(Range<usize>, &mut [T]) -> Result<(), E> + Sync + Send,
) -> Result<(), E> {
    let run = |(i, slots): (usize, &mut [T])| f(i * chunk..i * chunk + slots.len(), slots);
    match if out.len() > chunk { pool() } else { None } {
        Some(pool) => {
            let results: Vec<Result<(), E>> = pool.install(|| out.par_chunks_mut(chunk).enumerate().map(run).collect());
            results.into_iter().collect()
        }
        None => out.chunks_mut(chunk).enumerate().try_for_each(run),
    }
}

/// As `try_fill` for work that cannot fail.
pub fn fill<T: Send>(out: &mut [T], chunk: usize, f: impl Fn(Range<usize>, &mut [T]) + Sync + Send) {
    let infallible = |range: Range<usize>, slots: &mut [T]| -> Result<(), std::convert::Infallible> {
        f(range, slots);
        Ok(())
    };
    match try_fill(out, chunk, infallible) {
        Ok(()) => {}
    }
}
