//! What a process has used so far: CPU time and memory, as the kernel counts them.

use std::time::Duration;

use crate::error::{Doing, Error, Result};

/// CPU time of all threads of a process, user and system, to the nanosecond.
///
/// The process's own CPU clock is read. It also holds what ended threads have used, which a sum over
/// `/proc/PID/task/*/schedstat` would lose, and it is exact where `utime` and `stime` count in hundredths of a second.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    use nix::time::{clock_getcpuclockid, clock_gettime};
    let pid = nix::unistd::Pid::from_raw(pid.cast_signed());
    clock_getcpuclockid(pid)
        .and_then(clock_gettime)
        .map(Duration::from)
        .map_err(std::io::Error::from)
        .doing(format!("read the CPU clock of process {pid}"))
}

/// Not known elsewhere.
#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu_time(_pid: u32) -> Result<Duration> {
    Err(Error::Malformed("the bench measures on Linux only".to_owned()))
}

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// At its highest since the process started.
    pub(crate) peak: u64,
}

/// Reads the memory of a process.
pub(crate) fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).doing(format!("read {path}"))?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix(name)?
                    .trim()
                    .strip_suffix("kB")?
                    .trim()
                    .parse::<u64>()
                    .ok()
            })
            .map(|kib| kib * 1024)
            .ok_or_else(|| Error::Malformed(format!("{path} has no {name}")))
    };
    Ok(Memory {
        resident: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_shows_in_the_cpu_time_also_of_an_ended_thread() {
        let before = cpu_time(std::process::id()).unwrap();
        let spin = || {
            let start = std::time::Instant::now();
            while start.elapsed() < Duration::from_millis(30) {}
        };
        std::thread::spawn(spin).join().unwrap();
        assert!(cpu_time(std::process::id()).unwrap() - before > Duration::from_millis(5));
    }

    #[test]
    fn memory_is_plausible() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.resident > 100_000 && memory.peak >= memory.resident);
    }
}
