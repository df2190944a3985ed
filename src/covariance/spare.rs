//! Room that is lent, given back and lent again: memory that is new to a process costs more than it takes to fill it.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

use bytemuck::Zeroable;

/// Vectors that nobody needs now.
#[derive(Debug, Default)]
pub struct Spare<T>(Mutex<Vec<Vec<T>>>);

impl<T: Zeroable> Spare<T> {
    /// Room for so many entries, whatever they hold.
    pub fn lend(&self, entries: usize) -> Loan<'_, T> {
        let mut room = self.vectors().pop().unwrap_or_default();
        if room.len() < entries {
            room = bytemuck::zeroed_vec(entries);
        }
        Loan { spare: self, entries, room }
    }
}

impl<T> Spare<T> {
    fn vectors(&self) -> std::sync::MutexGuard<'_, Vec<Vec<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Given back when it is dropped.
#[derive(Debug)]
pub struct Loan<'a, T> {
    spare: &'a Spare<T>,
    entries: usize,
    room: Vec<T>,
}

impl<T> Deref for Loan<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.room[..self.entries]
    }
}

impl<T> DerefMut for Loan<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.room[..self.entries]
    }
}

impl<T> Drop for Loan<'_, T> {
    fn drop(&mut self) {
        self.spare.vectors().push(std::mem::take(&mut self.room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_lent_again_and_grows() {
        let spare = Spare::<f64>::default();
        let mut first = spare.lend(4);
        first[3] = 1.0;
        let address = first.as_ptr();
        let second = spare.lend(4);
        assert!(second.as_ptr() != address && second[..] == [0.0; 4]);
        drop(first);
        let again = spare.lend(2);
        assert!(again.as_ptr() == address && again.len() == 2);
        drop((second, again));
        assert_eq!(spare.lend(100).len(), 100);
    }
}
