//! Every kernel, at the sizes where something changes: what tests validate, and what `benches/offline` compiles.

use super::facts::{AdapterFacts, AdapterLimits};
use super::kernel::{Covariance, Drawn, Kernel, MOST_ASSETS, Other, Shrinkage, Spread};
use super::plan;
use super::precision::Precision;
use crate::methods::Method;
use crate::methods::limits::MOST_GROUPS;

/// Numbers of assets on both sides of every change of layout, of spread and of tiles, and usual ones between.
const SIZES: [usize; 16] = [1, 2, 10, 16, 17, 20, 32, 33, 50, 64, 65, 100, 128, 129, 500, MOST_ASSETS];

/// The same for estimators other than the sample covariance, whose kernels change less.
const ESTIMATED: [usize; 5] = [2, 10, 50, 129, MOST_ASSETS];

/// The same for methods beside risk budgeting, on both sides of what devices take.
const COMPARED: [usize; 7] = [1, 2, 10, 50, 128, 256, MOST_ASSETS];

/// The same within limits.
const LIMITED: [usize; 5] = [2, 10, 50, 129, MOST_ASSETS];

/// Bytes of workgroup memory that adapters have: Vulkan's least, Metal and most software, NVIDIA, AMD and Intel.
const WORKGROUP_MEMORIES: [u32; 4] = [16 << 10, 32 << 10, 48 << 10, 64 << 10];

/// A kernel as a compiler takes it.
#[derive(Debug, Clone)]
pub struct KernelText {
    /// Its label in the driver's tools.
    pub name: String,
    pub entry: &'static str,
    pub wgsl: String,
}

/// The kernels' texts.
pub fn kernels() -> impl Iterator<Item = KernelText> {
    let text = |kernel: Kernel| KernelText { name: format!("{kernel:?}"), entry: kernel.entry(), wgsl: kernel.text() };
    all().into_iter().map(text)
}

/// The kernels, each once.
pub fn all() -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for wide in [false, true] {
        kernels.push(Kernel::Known { wide });
        kernels.push(Kernel::Draw { drawn: Drawn::Rows, tile: 0, wide });
        for (assets, included, metrics) in [(1, 0, 1), (2, 1, 2), (5, 0, 2), (5, 0, 15), (10, 0, 2), (10, 3, 8)] {
            kernels.push(Kernel::Measure { assets, included, metrics, wide });
        }
        for (assets, included) in [(1, 0), (11, 3), (256, 0)] {
            let ranked = [true, false];
            kernels.extend(ranked.map(|ranked| Kernel::DrawSubset { assets, included, ranked, wide }));
        }
        for tile in [256, 1024, 4096] {
            kernels.extend([Drawn::Counts, Drawn::Steps].map(|drawn| Kernel::Draw { drawn, tile, wide }));
        }
        for drawn in [Drawn::Weights, Drawn::Decays] {
            kernels.extend([256, 2048].map(|tile| Kernel::Draw { drawn, tile, wide }));
        }
    }
    for precision in [Precision::Single, Precision::Double] {
        for assets in SIZES {
            kernels.extend(of_size(assets, precision));
        }
        for assets in ESTIMATED {
            kernels.extend(of_estimators(assets, precision));
        }
        for assets in LIMITED {
            kernels.extend(of_limits(assets, precision));
        }
        for assets in COMPARED {
            kernels.extend(of_methods(assets, precision));
        }
    }
    kernels
}

fn of_estimators(assets: usize, precision: Precision) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    if precision == Precision::Single {
        kernels.push(Kernel::Moments { assets, weighed: true, precision });
        kernels.push(Kernel::MomentsSteps { assets, decaying: true, precision });
    }
    for drawn in [Drawn::Counts, Drawn::Steps] {
        kernels.extend([false, true].map(|cubes| Kernel::FourthMoments { assets, drawn, cubes, precision }));
    }
    kernels.push(Kernel::MomentsDiagonal { assets, precision });
    kernels.push(Kernel::GerberPlanes { assets, precision });
    kernels.push(Kernel::Gerber { assets, precision });
    let all = [Shrinkage::LedoitWolf, Shrinkage::ConstantCorrelation, Shrinkage::Oas];
    kernels.extend(all.map(|shrinkage| Kernel::Shrink { assets, shrinkage, precision }));
    let covariance = Covariance::Correlations;
    kernels.push(Kernel::Certify { assets, covariance, comparisons: true, precision });
    kernels
}

fn of_methods(assets: usize, precision: Precision) -> Vec<Kernel> {
    let all = [
        (Other::MinimumVariance, Method::MinimumVariance),
        (Other::MaximumDiversification, Method::MaximumDiversification),
        (Other::HierarchicalRiskParity, Method::HierarchicalRiskParity),
    ];
    let taken = all.into_iter().filter(|(_, method)| assets <= method.most_assets_on_devices());
    let mut kernels: Vec<Kernel> = taken.map(|(other, _)| Kernel::Other { assets, other, precision }).collect();
    kernels.push(Kernel::Mixes { assets, precision });
    kernels
}

/// Each spread, without groups, with the most that a subgroup takes, and the most there are.
fn of_limits(assets: usize, precision: Precision) -> Vec<Kernel> {
    let mut kernels = Vec::new();
    for groups in [0, plan::SUBGROUP_GROUPS, MOST_GROUPS] {
        let mut spreads = Vec::new();
        for memory in WORKGROUP_MEMORIES {
            for subgroups in [false, true] {
                let spread = plan::limited_spread(&adapter(memory, subgroups), assets, groups, precision);
                if !spreads.contains(&spread) {
                    spreads.push(spread);
                }
            }
        }
        for uncorrelated in [false, true] {
            for &spread in &spreads {
                let spread = if uncorrelated { plan::without_matrix(spread) } else { spread };
                let kernel = Kernel::Limit { assets, groups, uncorrelated, spread, precision };
                if !kernels.contains(&kernel) {
                    kernels.push(kernel);
                }
            }
            for covariance in [Covariance::Moments, Covariance::Correlations] {
                kernels.push(Kernel::CertifyLimited { assets, groups, covariance, uncorrelated, precision });
            }
        }
    }
    kernels
}

fn of_size(assets: usize, precision: Precision) -> Vec<Kernel> {
    let mut kernels = vec![
        Kernel::Moments { assets, weighed: false, precision },
        Kernel::MomentsSteps { assets, decaying: false, precision },
        Kernel::MomentsWindows { assets, precision },
        Kernel::Volatility { assets, precision },
    ];
    if assets > 1 {
        kernels.push(Kernel::Correlate { assets, precision });
    }
    let covariance = Covariance::Moments;
    kernels.extend([false, true].map(|comparisons| Kernel::Certify { assets, covariance, comparisons, precision }));
    let covariance = Covariance::Correlations;
    kernels.push(Kernel::Certify { assets, covariance, comparisons: false, precision });
    kernels.push(Kernel::CorrelateSubset { assets, precision });
    kernels.push(Kernel::MeasureCertified { assets, metrics: 10, precision });
    let mut spreads = Vec::new();
    for memory in WORKGROUP_MEMORIES {
        for subgroups in [false, true] {
            let spread = plan::spread(&adapter(memory, subgroups), assets, precision);
            if !spreads.contains(&spread) {
                spreads.push(spread);
            }
        }
    }
    for spread in spreads {
        kernels.push(Kernel::Descend { assets, spread, precision });
        if let (Spread::Subgroup { problems }, Precision::Single) = (spread, precision) {
            let solve = |comparisons| Kernel::Solve { assets, problems, comparisons };
            kernels.extend([false, true].map(solve));
        }
    }
    kernels
}

/// An adapter of which nothing else is known.
fn adapter(workgroup_memory_bytes: u32, subgroups: bool) -> AdapterFacts {
    AdapterFacts {
        index: 0,
        name: String::new(),
        backend: String::new(),
        device_type: "other",
        software: false,
        driver: String::new(),
        pci_bus_id: None,
        vendor: 0,
        subgroup_sizes: subgroups.then_some([32, 32]),
        double_precision: true,
        wide_integers: true,
        timestamps: true,
        limits: AdapterLimits {
            buffer_bytes: 1 << 31,
            binding_bytes: 1 << 31,
            workgroup_memory_bytes,
            lanes_per_workgroup: 256,
            workgroups_per_dimension: 65_535,
            storage_buffers: 8,
        },
    }
}
