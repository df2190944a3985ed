//! What NVIDIA's assembler makes of kernels: naga's text for Metal, compiled by clang to PTX (`msl.h`), and that by ptxas.
//! NVIDIA's Vulkan driver has the same code generator and another front end: figures are close, not exact.
//!
//! Needs clang with a backend for NVPTX (Debian: clang-19; named by `CLANG`, else `clang-19` or `clang`), and ptxas (PyPI:
//! the packages triton and nvidia-cuda-nvcc-cu12 hold one; named by `PTXAS`, else `ptxas`).

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use equirisk::engine::gpu::{KernelText, kernels};
use naga::ShaderStage;
use naga::back::msl;

use crate::record::{Figures, Record};
use crate::translate::{Translated, UNCHECKED};

/// A multiprocessor.
struct Chip {
    target: &'static str,
    registers: u64,
    warps: u64,
    workgroups: u64,
    /// Bytes of workgroup memory, and those that each workgroup takes for itself.
    memory: u64,
    reserved: u64,
}

/// GeForce 30; H100 and H200.
const CHIPS: [Chip; 2] = [
    Chip { target: "sm_86", registers: 1 << 16, warps: 48, workgroups: 16, memory: 100 << 10, reserved: 1 << 10 },
    Chip { target: "sm_90", registers: 1 << 16, warps: 64, workgroups: 32, memory: 228 << 10, reserved: 1 << 10 },
];

/// What comes before the text of a kernel.
const SHIM: &str = include_str!("msl.h");

/// Where Metal tells a thread its place, and where PTX does.
const PLACES: [(&str, &str); 7] = [
    ("threadgroup_position_in_grid", "metal::uint3{__nvvm_read_ptx_sreg_ctaid_x(), __nvvm_read_ptx_sreg_ctaid_y(), 0}"),
    ("threadgroups_per_grid", "metal::uint3{__nvvm_read_ptx_sreg_nctaid_x(), __nvvm_read_ptx_sreg_nctaid_y(), 1}"),
    (
        "thread_position_in_grid",
        "metal::uint3{__nvvm_read_ptx_sreg_ctaid_x() * __nvvm_read_ptx_sreg_ntid_x() + __nvvm_read_ptx_sreg_tid_x(), \
         __nvvm_read_ptx_sreg_ctaid_y(), 0}",
    ),
    ("thread_index_in_threadgroup", "__nvvm_read_ptx_sreg_tid_x()"),
    ("thread_index_in_simdgroup", "__nvvm_read_ptx_sreg_tid_x() % 32"),
    ("simdgroup_index_in_threadgroup", "__nvvm_read_ptx_sreg_tid_x() / 32"),
    ("threads_per_simdgroup", "32"),
];

struct Tools {
    clang: String,
    ptxas: String,
}

/// Every kernel for every chip.
pub fn compile() -> Result<Record, String> {
    let tools = Tools {
        clang: tool("CLANG", &["clang-19", "clang"], "install clang-19")?,
        ptxas: tool("PTXAS", &["ptxas"], "PTXAS names one: PyPI's package triton holds it")?,
    };
    let compiler = format!("clang {}, ptxas {}", version(&tools.clang, "version ")?, version(&tools.ptxas, ", V")?);
    let all: Vec<KernelText> = kernels().collect();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(kernel) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let figures = tools.figures(kernel).map_err(|error| format!("{}: {error}", kernel.name));
                    done.lock().expect("no thread panics with it").push((kernel.name.clone(), figures));
                }
            });
        }
    });
    let mut record = Record::default();
    for chip in &CHIPS {
        record.compilers.insert(chip.target.to_owned(), compiler.clone());
    }
    for (name, figures) in done.into_inner().expect("no thread panics with it") {
        if let Some(figures) = figures? {
            record.kernels.insert(name, CHIPS.iter().map(|chip| chip.target.to_owned()).zip(figures).collect());
        }
    }
    Ok(record)
}

fn tool(variable: &str, names: &[&str], hint: &str) -> Result<String, String> {
    let named = std::env::var(variable).ok();
    let starts =
        |name: &&String| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let all: Vec<String> = named.into_iter().chain(names.iter().map(|&name| name.to_owned())).collect();
    all.iter().find(starts).cloned().ok_or_else(|| format!("there is no {}: {hint}", names[0]))
}

/// The word after a mark in what a program says of its version.
fn version(program: &str, mark: &str) -> Result<String, String> {
    let output = Command::new(program).arg("--version").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = text.split_once(mark).and_then(|(_, rest)| rest.split_whitespace().next());
    word.map(str::to_owned).ok_or_else(|| format!("{program} does not say its version"))
}

impl Tools {
    /// On each chip. None of a kernel for adapters with more workgroup memory than NVIDIA's have, 48 KiB.
    fn figures(&self, kernel: &KernelText) -> Result<Option<[Figures; 2]>, String> {
        let double = kernel.wgsl.contains("f64");
        let narrow = KernelText { wgsl: kernel.wgsl.replace("f64", "f32"), ..kernel.clone() };
        let translated = Translated::new(&narrow)?;
        let threads = translated.module.entry_points[translated.entry].workgroup_size[0];
        let source = source(&metal(&translated)?, kernel.entry)?;
        // Instructions of sm_86 run on sm_90 too. Divisions round to 2 units in the last place, as WGSL asks at least.
        let mut clang = Command::new(&self.clang);
        clang
            .args([
                "-x",
                "c++",
                "-std=c++20",
                "--target=nvptx64-nvidia-cuda",
                "-march=sm_86",
                "-O3",
                "-w",
                "-Wno-c++11-narrowing",
                "-S",
            ])
            .args(["-Xclang", "-target-feature", "-Xclang", "+ptx80", "-ffp-contract=fast", "-fno-exceptions"])
            .args(["-mllvm", "-nvptx-prec-divf32=1", "-mllvm", "-nvptx-prec-sqrtf32=0", "-o", "-", "-"])
            .args(if double { ["-DDOUBLE"].as_slice() } else { &["-Xclang", "-cl-single-precision-constant"] });
        let (ptx, _) = fed(&mut clang, &source)?;
        // Known to be all threads of a workgroup.
        let (head, body) = ptx.split_once("\n{").ok_or("clang wrote no entry point")?;
        let ptx = format!("{head}\n.maxntid {threads}, 1, 1\n{{{body}");
        let mut both = [Figures::default(); 2];
        for (figures, chip) in both.iter_mut().zip(&CHIPS) {
            let mut ptxas = Command::new(&self.ptxas);
            ptxas.args(["-v", "-O3", "-arch", chip.target, "/dev/stdin", "-o", "/dev/null"]);
            let said = match fed(&mut ptxas, &ptx) {
                Ok((_, said)) => said,
                Err(said) if said.contains("uses too much shared data") => return Ok(None),
                Err(said) => return Err(said),
            };
            *figures = chip.figures(&said, u64::from(threads))?;
        }
        Ok(Some(both))
    }
}

/// What a program makes of its standard input, and what it says.
fn fed(command: &mut Command, input: &str) -> Result<(String, String), String> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().map_err(|error| error.to_string())?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    stdin.write_all(input.as_bytes()).map_err(|error| error.to_string())?;
    drop(stdin);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        return Err(said.lines().take(3).collect::<Vec<_>>().join("; "));
    }
    Ok((String::from_utf8_lossy(&output.stdout).into_owned(), said))
}

fn metal(translated: &Translated) -> Result<String, String> {
    let options = msl::Options {
        lang_version: (3, 1),
        fake_missing_bindings: true,
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..msl::Options::default()
    };
    let entry = translated.module.entry_points[translated.entry].name.clone();
    let pipeline = msl::PipelineOptions { entry_point: Some((ShaderStage::Compute, entry)), ..Default::default() };
    let written = msl::write_string(&translated.module, &translated.info, &options, &pipeline);
    written.map(|(text, _)| text).map_err(|error| error.to_string())
}

/// The whole program: the shim, the kernel as a function, and an entry point that hands it pointers to global and to
/// workgroup memory and the thread's place.
fn source(metal: &str, entry: &str) -> Result<String, String> {
    let head = format!("kernel void {entry}(\n");
    let (_, rest) = metal.split_once(&head).ok_or("naga wrote no entry point")?;
    let (list, _) = rest.split_once("\n) {").ok_or("the entry point has no body")?;
    let (mut shared, mut parameters, mut arguments) = (String::new(), Vec::new(), Vec::new());
    for line in list.lines() {
        let (declared, attribute) = line.trim_start_matches([',', ' ']).split_once(" [[").unwrap_or((line, ""));
        let (kind, name) =
            declared.trim_start_matches([',', ' ']).rsplit_once(' ').ok_or("a parameter without a name")?;
        if let Some(place) = attribute.strip_suffix("]]").and_then(|a| PLACES.iter().find(|(metal, _)| *metal == a)) {
            arguments.push(place.1.to_owned());
        } else if let Some(kind) = kind.strip_prefix("threadgroup ") {
            let kind = kind.trim_end_matches('&');
            shared +=
                &format!("static __attribute__((address_space(3), aligned(16))) char shared_{name}[sizeof({kind})];\n");
            arguments.push(format!("*({kind}*)&shared_{name}"));
        } else if let Some(kind) = kind.strip_suffix('&') {
            let pointer = match kind.strip_prefix("constant ") {
                Some(kind) => format!("{kind} const"),
                None => kind.trim_start_matches("device ").to_owned(),
            };
            parameters.push(format!("{pointer}* __restrict__ {name}"));
            arguments.push(format!("*{name}"));
        } else {
            return Err(format!("a parameter that PTX does not have: {line}"));
        }
    }
    let text: Vec<&str> = metal.lines().filter(|line| !line.starts_with("#include")).collect();
    // Vectors are not cast but converted.
    let text = text.join("\n").replace("static_cast<metal::", "metal::convert<metal::");
    Ok(format!(
        "{SHIM}\nnamespace {{\n{text}\n}}\n#pragma clang attribute pop\n{shared}extern \"C\" __attribute__((nvptx_kernel)) void entry({}) \
         {{ {entry}({}); }}\n",
        parameters.join(", "),
        arguments.join(", ")
    ))
}

impl Chip {
    /// From what ptxas says of a kernel.
    fn figures(&self, said: &str, threads: u64) -> Result<Figures, String> {
        let before = |mark: &str| {
            let word = said.split_once(mark).and_then(|(before, _)| before.split_whitespace().last());
            word.and_then(|word| word.parse::<u64>().ok())
        };
        let missing = || format!("ptxas says something else: {said}");
        let registers = before(" registers").ok_or_else(missing)?;
        let spills = before(" bytes spill stores").ok_or_else(missing)?;
        let scratch = before(" bytes stack frame").ok_or_else(missing)?;
        let memory = before(" bytes smem").unwrap_or(0);
        Ok(Figures { registers, spills, scratch, memory, code: 0, waves: self.warps(threads, registers, memory) })
    }

    /// Resident warps: registers come in units of 256 for a warp, workgroup memory in units of 128 bytes.
    fn warps(&self, threads: u64, registers: u64, memory: u64) -> u64 {
        let each = threads.div_ceil(32);
        let by_registers = self.registers / (each * (32 * registers).next_multiple_of(256));
        let by_memory = self.memory / (memory + self.reserved).next_multiple_of(128);
        each * by_registers.min(by_memory).min(self.warps / each).min(self.workgroups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residency_is_what_is_scarcest() {
        let [ampere, hopper] = &CHIPS;
        // Nothing but the number of warps, or of workgroups.
        assert_eq!((ampere.warps(256, 32, 0), hopper.warps(256, 32, 0)), (48, 64));
        assert_eq!((ampere.warps(32, 32, 0), hopper.warps(32, 32, 0)), (16, 32));
        // Registers: 65,536 / (32 x 256).
        assert_eq!((ampere.warps(64, 255, 0), hopper.warps(64, 249, 0)), (8, 8));
        // Workgroup memory: five of 43 KiB in 228, two in 100.
        assert_eq!((ampere.warps(32, 64, 43 << 10), hopper.warps(32, 64, 43 << 10)), (2, 5));
    }

    #[test]
    fn what_the_assembler_says_is_read() {
        let said = "ptxas info    : Function properties for entry\n    464 bytes stack frame, 12 bytes spill stores, 16 \
                    bytes spill loads\nptxas info    : Used 203 registers, used 1 barriers, 43264 bytes smem, 424 bytes cmem[0]\n";
        let figures = CHIPS[1].figures(said, 32).unwrap();
        let expected = Figures { registers: 203, spills: 12, scratch: 464, memory: 43_264, code: 0, waves: 5 };
        assert_eq!(figures, expected);
        assert!(CHIPS[0].figures("nothing", 32).is_err());
    }
}
