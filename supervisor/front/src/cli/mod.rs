//! The command line: what can be asked, in which words, with which help.

mod build;
mod explain;
mod init;
mod inspect;
mod learn;
mod manual;
mod validate;

use crate::bench;
use crate::exit::Exit;
use crate::host;
use crate::isolation;
use crate::render::report::document;
use crate::run;
use crate::scaffold::Language;
use crate::scan;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueHint};
use keylane_policy::limit;
use std::io::Write;
use std::path::PathBuf;

const RUN_EXAMPLES: &str = "\
Examples:
  keylane run docs/examples/finra
  keylane run docs/examples/finra --input '{\"checks\": 200}'
  keylane run docs/examples/finra --input @input.json --json | jq .output
  echo '{\"checks\": 5}' | keylane run docs/examples/finra --input -
  keylane run docs/examples/finra --timeline run.svg --trace run.json
  generate-inputs | keylane run docs/examples/finra --stream > reports.jsonl

The output goes to standard output as JSON; a summary, the functions' own output and errors go to
standard error.";

const BUILD_EXAMPLES: &str = "\
Examples:
  keylane build my-workflow
  keylane build my-workflow --offline
  keylane build my-workflow --json | jq -r '.functions[].packages[].file'";

const VALIDATE_EXAMPLES: &str = "\
Examples:
  keylane validate docs/examples/finra
  keylane validate docs/examples/finra/workflow.asl.json
  keylane validate . --json | jq -r '.problems[].message'";

const INSPECT_EXAMPLES: &str = "\
Examples:
  keylane run docs/examples/finra --json > report.json; keylane inspect report.json
  keylane run docs/examples/finra --json | keylane inspect -
  keylane inspect report.json --json | jq .failed";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  keylane run my-workflow --json > report.json; keylane explain report.json
  keylane run my-workflow --json | keylane explain -
  keylane explain \"$(jq -c .denials[0] report.json)\"";

const LEARN_EXAMPLES: &str = "\
Examples:
  keylane learn docs/examples/finra
  keylane learn my-workflow --input @input.json --json | jq -r .project_fragment

The project runs several times, with more each time, at most with what projects may have.";

const INIT_EXAMPLES: &str = "\
Examples:
  keylane init my-workflow
  keylane init fast --lang c
  mkdir orders; cd orders; keylane init; keylane run .";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  keylane doctor
  keylane doctor --json | jq -e .isolation.process.fit";

const BENCH_EXAMPLES: &str = "\
Examples:
  keylane bench
  keylane bench hop --rounds 200
  keylane bench start fresh --json | jq .ratios

The exit code tells whether there are figures, never whether a goal was met.";

const SCAN_EXAMPLES: &str = "\
Examples:
  keylane scan /usr/lib/x86_64-linux-gnu/libc.so.6
  keylane scan /usr
  keylane scan site-packages --json | jq -r '.files[].path'";

/// Runs the functions of a workflow close together and still apart.
#[derive(Debug, Parser)]
#[command(
    name = "keylane",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project that runs at once
    ///
    /// Writes a workflow of two functions with its tests, which validates, runs and passes them as it
    /// is; comments in keylane.toml teach the format. Nothing that exists is written over.
    #[command(after_long_help = INIT_EXAMPLES)]
    Init {
        /// The project's folder, made if it is not there
        #[arg(value_hint = ValueHint::DirPath, default_value = ".")]
        folder: PathBuf,
        /// The language that its functions are written in
        #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "python")]
        lang: Language,
    },
    /// Run a workflow and print its output
    ///
    /// Checks the project, stages each function's files into a tree of its own, starts the
    /// functions in their sandboxes, runs the workflow and prints its output.
    #[command(after_long_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Make what functions need: packages that they require, shared objects from C
    ///
    /// Resolves each function's requirements.txt to wheels and unpacks them into a tree of the function's
    /// own, in jailed build workers; keylane.lock, beside keylane.toml, says which wheels those are.
    /// Compiles the sources of functions that say `build = "c"`, likewise. What was built is kept in
    /// $XDG_CACHE_HOME/keylane. `run` does the same when something is missing.
    #[command(after_long_help = BUILD_EXAMPLES)]
    Build {
        /// The project's folder, or the keylane.toml in it
        #[arg(value_hint = ValueHint::DirPath)]
        project: PathBuf,
        /// Fetch nothing: take what the cache has, or fail
        #[arg(long)]
        offline: bool,
        #[command(flatten)]
        policy: PolicyArg,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Say whether this host can run Keylane, point by point
    ///
    /// Asks the kernel and the machine for everything that an isolation needs, and says for each
    /// point whether it is there, what stands in where it is not, and what to do.
    #[command(after_long_help = DOCTOR_EXAMPLES)]
    Doctor {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Check a project or a definition without running anything
    ///
    /// Checks keylane.toml, the workflow's definition, each function's files and handler, and the
    /// default input. Every problem is shown with its line and with what to do.
    #[command(after_long_help = VALIDATE_EXAMPLES)]
    Validate {
        /// A project's folder, its keylane.toml, or a definition (*.json)
        #[arg(value_hint = ValueHint::AnyPath)]
        path: PathBuf,
        #[command(flatten)]
        policy: PolicyArg,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Tell what a saved report says: which step failed and why, what took the time
    ///
    /// Reads a report that `keylane run --json` printed, and shows the step that failed with its
    /// input, how it came to that (attempts, pauses, catchers), the slowest states and the calls of
    /// each function.
    #[command(after_long_help = INSPECT_EXAMPLES)]
    Inspect {
        /// The report's file, or - for standard input
        #[arg(value_hint = ValueHint::FilePath)]
        report: PathBuf,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Look for forbidden instructions in executable bytes of ELF files
    ///
    /// Reports every instruction that writes PKRU or a segment base (WRPKRU, XRSTOR, XRSTORS,
    /// WRFSBASE, WRGSBASE) at any offset of what a file's mapping makes executable, also where it lies across two
    /// instructions or the border of a page or segment. Nothing is executed or mapped.
    #[command(after_long_help = SCAN_EXAMPLES)]
    Scan {
        /// Files, and folders to walk; links inside of folders are not followed
        #[arg(value_hint = ValueHint::AnyPath, required = true, value_name = "FILE|DIR")]
        paths: Vec<PathBuf>,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Say what a denied call was, why it is denied, and how an operator would allow it
    ///
    /// Reads a report that `keylane run --json` printed, or one of its `denials`.
    #[command(after_long_help = EXPLAIN_EXAMPLES)]
    Explain {
        /// The record as JSON text, a file with a report or a record, or - for standard input
        #[arg(value_name = "RECORD|FILE|-", value_hint = ValueHint::FilePath)]
        record: String,
        #[command(flatten)]
        policy: PolicyArg,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Find the smallest profile of each function, by running the project
    ///
    /// Runs the workflow again and again, at first with as good as nothing allowed, and gives each
    /// function what it was denied, as far as the operator lets projects have it. Prints what each needs,
    /// what remains denied and why, and lines for keylane.toml. Writes nothing.
    #[command(after_long_help = LEARN_EXAMPLES)]
    Learn {
        /// The project's folder, or the keylane.toml in it
        #[arg(value_hint = ValueHint::DirPath)]
        project: PathBuf,
        /// The input: JSON text, @FILE, or - for standard input
        ///
        /// Without it the project's default input is taken (`input` in keylane.toml), else {}.
        #[arg(long, value_name = "JSON|@FILE|-")]
        input: Option<run::input::Source>,
        #[command(flatten)]
        policy: PolicyArg,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Measure a hop, a start and a fresh worker on this host, beside the least that each could cost
    ///
    /// Makes projects of functions that do nothing, runs them in the ordinary jail, and measures in turns
    /// with them what the host itself needs: a futex between two processes, a plain interpreter, a
    /// bare fork. Prints ratios first, then goals, then times.
    #[command(after_long_help = BENCH_EXAMPLES)]
    Bench {
        /// What to measure [default: all]
        #[arg(value_enum, value_name = "NAME")]
        names: Vec<bench::Name>,
        /// How often each way has its turn
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        rounds: u32,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of keylane.toml
    ///
    /// For editors that complete and check TOML by a schema: keylane schema > keylane.schema.json
    Schema,
    /// Print the manual page, or write all of them into a folder
    ///
    /// To read it: keylane man | man -l -. To install: keylane man ~/.local/share/man/man1
    Man {
        /// Where to write keylane.1 and a page for each command
        #[arg(value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    ///
    /// For bash: keylane completions bash > ~/.local/share/bash-completion/completions/keylane
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
struct PolicyArg {
    /// What the operator lets projects have [default: /etc/keylane/policy.toml, if it is there]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    policy: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The project's folder, or the keylane.toml in it
    #[arg(value_hint = ValueHint::DirPath)]
    project: PathBuf,
    /// The input: JSON text, @FILE, or - for standard input
    ///
    /// Without it the project's default input is taken (`input` in keylane.toml), else {}.
    #[arg(long, value_name = "JSON|@FILE|-", conflicts_with = "stream")]
    input: Option<run::input::Source>,
    /// Print the whole report as one JSON document instead of the output alone
    #[arg(long)]
    json: bool,
    /// Take each line of standard input as an input and print each report on a line
    ///
    /// The functions stay warm between the lines. Every report is a JSON document; with --json as well
    /// it holds the events of its execution.
    #[arg(long)]
    stream: bool,
    /// How functions are kept apart
    #[arg(long, value_enum, value_name = "ISOLATION", default_value = "auto")]
    isolation: isolation::Asked,
    /// Lanes to run parallel branches on [default: one for each processor]
    #[arg(long, value_name = "N", value_parser = lanes)]
    lanes: Option<u16>,
    /// Write a trace of the run for Perfetto (ui.perfetto.dev): lanes, branches, calls
    #[arg(long, value_name = "FILE", conflicts_with = "stream", value_hint = ValueHint::FilePath)]
    trace: Option<PathBuf>,
    /// Draw the run: which state ran when, on which lane, and what waited
    #[arg(long, value_name = "FILE.svg", conflicts_with = "stream", value_hint = ValueHint::FilePath)]
    timeline: Option<PathBuf>,
    #[command(flatten)]
    policy: PolicyArg,
    /// Show failures alone: no notes, no progress, no output of functions, no summary
    #[arg(long, short)]
    quiet: bool,
}

fn lanes(text: &str) -> Result<u16, String> {
    let most = limit::LANES;
    match text.parse::<u16>() {
        Ok(number) if (1..=most).contains(&usize::from(number)) => Ok(number),
        _ => Err(format!("choose a whole number from 1 to {most}")),
    }
}

/// Does what the arguments of this process ask.
pub fn start() -> Exit {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers; the rest is a refusal.
            let exit = if error.use_stderr() {
                Exit::Refused
            } else {
                Exit::Done
            };
            return if error.print().is_ok() {
                exit
            } else {
                Exit::Unwritten
            };
        }
    };
    match cli.command {
        Command::Run(args) => run::run(run::Options {
            project: args.project,
            input: args.input.unwrap_or_default(),
            json: args.json || args.stream,
            stream: args.stream,
            isolation: args.isolation,
            lanes: args.lanes,
            policy: args.policy.policy,
            quiet: args.quiet,
            history: !args.stream || args.json,
            trace: args.trace,
            timeline: args.timeline,
        }),
        Command::Init { folder, lang } => init::init(&folder, lang),
        Command::Build {
            project,
            offline,
            policy,
            json,
        } => build::build(&build::Options {
            project,
            policy: policy.policy,
            offline,
            json,
        }),
        Command::Doctor { json } => doctor(json),
        Command::Inspect { report, json } => inspect::inspect(&report, json),
        Command::Validate { path, policy, json } => {
            validate::validate(&path, policy.policy.as_deref(), json)
        }
        Command::Explain {
            record,
            policy,
            json,
        } => explain::explain(&record, policy.policy.as_deref(), json),
        Command::Learn {
            project,
            input,
            policy,
            json,
        } => learn::learn(project, input, policy.policy, json),
        Command::Scan { paths, json } => scan::scan(&paths, json),
        Command::Bench {
            names,
            rounds,
            json,
        } => bench::bench(&bench::Options {
            names,
            rounds,
            json,
        }),
        Command::Schema => {
            let schema = crate::project::schema::document();
            print(&document(&schema.to_string(), false), Exit::Done)
        }
        Command::Man { folder } => manual::manual(folder.as_deref()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command(), "keylane", &mut script);
            print(&String::from_utf8_lossy(&script), Exit::Done)
        }
    }
}

/// The command with its table of exit codes, which is made from the enum.
fn command() -> clap::Command {
    Cli::command().after_long_help(Exit::help())
}

fn parse() -> Result<Cli, clap::Error> {
    use clap::FromArgMatches;
    let matches = command().try_get_matches()?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))
}

fn doctor(json: bool) -> Exit {
    let diagnosis = host::examine();
    let exit = if diagnosis.process.fit {
        Exit::Done
    } else {
        Exit::Host
    };
    let text = if json {
        diagnosis.json()
    } else {
        Ok(diagnosis.human())
    };
    match text {
        Ok(text) if json => print(&document(&text, false), exit),
        Ok(text) => print(&text, exit),
        Err(_unwritable) => Exit::Bug,
    }
}

/// Writes to standard output; `exit` unless that fails.
pub(crate) fn print(text: &str, exit: Exit) -> Exit {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => exit,
        // The reader went away, as `head` does: it knows, and wants to hear nothing.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Unwritten,
        Err(error) => {
            let _ = writeln!(
                std::io::stderr(),
                "keylane: writing to standard output: {error}"
            );
            Exit::Unwritten
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn the_manual_names_every_command_and_option() {
        let manual = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md"));
        for sub in command().get_subcommands() {
            let name = format!("`keylane {} ", sub.get_name());
            let alone = format!("`keylane {}`", sub.get_name());
            assert!(manual.contains(&name) || manual.contains(&alone), "{name}");
            for option in sub.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(manual.contains(&format!("`--{option}")), "--{option}");
            }
        }
    }

    #[test]
    fn lanes_are_at_least_one_and_at_most_the_limit() {
        assert_eq!(lanes("1"), Ok(1));
        assert_eq!(lanes("64"), Ok(64));
        for wrong in ["0", "65", "-1", "two", "1.5", ""] {
            assert!(lanes(wrong).is_err(), "{wrong}");
        }
    }
}
