//! `stepwell fmt`: definitions in one stable layout, as JSON or as YAML.
//!
//! What is written says what was read: each text is read again before it leaves, and values and comments are compared.

mod json;
mod text;
mod yaml;

#[cfg(test)]
mod tests;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::Context;
use stepwell_expr::Value;

use crate::{
    cli::FmtOptions,
    definition_file::{
        self, Source,
        resolve::Resolved,
        tree::{Format, Refusal, Tree},
        value_of,
    },
    exit::{BadInput, Exit},
    limits::FORMATTED_BYTES_MAX,
    trace::{GREEN, RED, YELLOW},
};

pub(crate) fn fmt(options: &FmtOptions) -> anyhow::Result<Exit> {
    if options.files.len() > 1 && !options.check && !options.write && !options.json {
        return Err(BadInput("more than one file needs --write, --check or --json".to_owned()).into());
    }
    let mut exit = Exit::Done;
    for file in &options.files {
        match format_file(file, options) {
            Ok(Exit::Done) => {}
            Ok(other) if exit == Exit::Done => exit = other,
            Ok(_) => {}
            Err(error) if error.is::<BadInput>() => {
                anstream::eprintln!("{RED}error:{RED:#} {error}");
                exit = Exit::BadInput;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(exit)
}

fn format_file(file: &Path, options: &FmtOptions) -> anyhow::Result<Exit> {
    let source = Source::read(file)?;
    let to = options.to.unwrap_or(source.format);
    let text = formatted(&source, to, options.drop_comments).map_err(|refusal| refusal.in_file(file))?;
    let target = options.write.then(|| target(&source, to)).transpose()?;
    let changed = match &target {
        Some(target) => write(file, target, &text)?,
        None => text != source.text,
    };
    let shown = file.display();
    if options.json {
        let written = target.filter(|_| changed).map(|target| ("written", Value::from(target.display().to_string())));
        let text = (!options.write && !options.check).then(|| ("text", Value::from(text)));
        let members = [
            ("file", Value::from(shown.to_string())),
            ("format", Value::from(name(to))),
            ("changed", Value::from(changed)),
        ];
        anstream::println!("{}", Value::object(members.into_iter().chain(written).chain(text)));
    } else if options.check && changed {
        anstream::println!("{shown}: {YELLOW}not formatted{YELLOW:#}");
    } else if options.check {
        anstream::println!("{shown}: {GREEN}ok{GREEN:#}");
    } else if let Some(target) = target {
        let did = if changed { "written" } else { "unchanged" };
        anstream::println!("{}: {GREEN}{did}{GREEN:#}", target.display());
    } else {
        std::io::stdout().lock().write_all(text.as_bytes()).context("cannot write the formatted text")?;
    }
    Ok(if options.check && changed { Exit::Failed } else { Exit::Done })
}

fn name(format: Format) -> &'static str {
    match format {
        Format::Json => "json",
        Format::Yaml => "yaml",
    }
}

/// The file itself, or the one beside it for the other form.
fn target(source: &Source, to: Format) -> Result<PathBuf, BadInput> {
    if source.path.as_os_str() == "-" {
        return Err(BadInput("standard input cannot be written to; leave --write out".to_owned()));
    }
    let extension = name(to);
    Ok(if to == source.format { source.path.clone() } else { source.path.with_extension(extension) })
}

/// Writes the text, if the file has another one; answers whether. Another definition's file is left alone.
fn write(file: &Path, target: &Path, text: &str) -> Result<bool, BadInput> {
    let shown = target.display();
    let old = match std::fs::read(target) {
        Ok(old) => Some(old),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(BadInput(format!("cannot read `{shown}`: {error}"))),
    };
    match old {
        Some(old) if old == text.as_bytes() => return Ok(false),
        Some(_) if file != target => {
            return Err(BadInput(format!("`{shown}` exists and says something else; remove it first")));
        }
        _ => {}
    }
    std::fs::write(target, text).map_err(|error| BadInput(format!("cannot write `{shown}`: {error}")))?;
    Ok(true)
}

/// The text of a definition in the layout of `to`.
fn formatted(source: &Source, to: Format, drop_comments: bool) -> Result<String, Refusal> {
    let tree = source.tree()?;
    let value = value_of(&tree)?;
    if to == Format::Json
        && !drop_comments
        && let Some(first) = tree.comments.first()
    {
        let count = tree.comments.len();
        return Err(Refusal::at(
            first.at,
            format!("JSON cannot keep the comments ({count}); --drop-comments leaves them out"),
        ));
    }
    let text = match to {
        Format::Json => json::to_json(&value),
        Format::Yaml => yaml::to_yaml(&tree, &source.text),
    };
    let text = text.ok_or_else(|| Refusal {
        message: format!("formatted, this is longer than {FORMATTED_BYTES_MAX} bytes"),
        at: None,
    })?;
    if says_the_same(&tree, &value, &text, to) {
        Ok(text)
    } else {
        Err(Refusal {
            message: "this cannot be formatted without changing it; that is a bug in stepwell".to_owned(),
            at: None,
        })
    }
}

/// Whether `text` has the value, the order and the comments of what was read.
fn says_the_same(tree: &Tree, value: &Resolved, text: &str, format: Format) -> bool {
    let Ok(again) = definition_file::read(format, text) else {
        return false;
    };
    let comments = |tree: &Tree| tree.comments.iter().map(|comment| comment.text.clone()).collect::<Vec<_>>();
    let same_comments = format == Format::Json || comments(&again) == comments(tree);
    same_comments && value_of(&again).is_ok_and(|again| plain(&again) == plain(value))
}

/// The value as JSON without choices: escapes and numbers written in one way.
fn plain(value: &Resolved) -> Option<String> {
    stepwell_expr::json::parse(&value.to_json()).ok().map(|value| stepwell_expr::json::to_text(&value))
}
