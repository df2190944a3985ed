//! The best so many of all subsets, whatever order they come in.

/// A subset by how good it is: smaller values first, ties by rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its figure, negated where the largest is the best.
    pub value: f64,
    pub rank: u64,
}

impl Candidate {
    fn order(&self, other: &Candidate) -> std::cmp::Ordering {
        self.value.total_cmp(&other.value).then(self.rank.cmp(&other.rank))
    }
}

/// Keeps the best `capacity` of the candidates it is shown.
#[derive(Debug, Clone)]
pub struct Best {
    capacity: usize,
    kept: Vec<Candidate>,
    /// Candidates with a larger value are not among the best.
    bound: f64,
}

impl Best {
    pub fn new(capacity: usize) -> Best {
        Best { capacity: capacity.max(1), kept: Vec::new(), bound: f64::INFINITY }
    }

    pub fn bound(&self) -> f64 {
        self.bound
    }

    /// Shows it candidates.
    pub fn extend(&mut self, candidates: &[Candidate]) {
        let bound = self.bound;
        self.kept.extend(candidates.iter().filter(|candidate| candidate.value <= bound));
        if self.kept.len() >= 2 * self.capacity {
            self.prune();
        }
    }

    fn prune(&mut self) {
        if self.kept.len() > self.capacity {
            let (_, last, _) = self.kept.select_nth_unstable_by(self.capacity - 1, Candidate::order);
            self.bound = last.value;
            self.kept.truncate(self.capacity);
        }
    }

    /// The best, in order.
    pub fn sorted(mut self) -> Vec<Candidate> {
        self.prune();
        self.kept.sort_unstable_by(Candidate::order);
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_do_not_depend_on_the_order_in_which_they_are_shown() {
        let all: Vec<Candidate> =
            (0..5000_u64).map(|rank| Candidate { value: (rank * 7919 % 37) as f64, rank }).collect();
        let best = |candidates: &[Candidate], piece: usize| {
            let mut best = Best::new(300);
            candidates.chunks(piece).for_each(|piece| best.extend(piece));
            best.sorted()
        };
        let expected = best(&all, 5000);
        assert_eq!(expected.len(), 300);
        assert!(expected.is_sorted_by(|a, b| a.value < b.value || (a.value == b.value && a.rank < b.rank)));
        let reversed: Vec<Candidate> = all.iter().rev().copied().collect();
        for piece in [1, 7, 299, 301, 1000] {
            assert_eq!(best(&all, piece), expected);
            assert_eq!(best(&reversed, piece), expected);
        }
        assert_eq!(best(&all[..10], 3).len(), 10);
    }
}
