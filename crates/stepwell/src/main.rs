//! Stepwell: AWS Step Functions that anyone can own.

mod argument;
mod beside;
mod catalogue;
mod cli;
mod config;
mod console;
mod data;
mod definition_file;
mod encryption;
mod eval;
mod exit;
mod fmt;
mod function;
mod kms;
mod limits;
mod logs;
mod map_items;
mod quotas;
mod run;
mod serve;
mod services;
mod status_events;
mod tasks;
mod trace;
mod validate;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::{
    cli::{Cli, Command},
    exit::Exit,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Serve(options) => serve::serve(options),
        Command::Run(options) => run::run(&options),
        Command::Validate(options) => validate::validate(&options),
        Command::Eval(options) => eval::eval(&options),
        Command::Fmt(options) => fmt::fmt(&options),
        Command::Services(options) => services::services(&options),
        Command::Limits(options) => quotas::limits(&options),
        Command::Data { command } => data::data(&command),
        Command::Function { command } => function::function(command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "stepwell", &mut std::io::stdout());
            Ok(Exit::Done)
        }
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("{}error:{} {error:#}", trace::RED.render(), trace::RED.render_reset());
            Exit::of(&error).into()
        }
    }
}
