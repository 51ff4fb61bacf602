//! What an expression is evaluated with.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{SystemTime, UNIX_EPOCH},
};

use stepwell_expr::{Value, alone::Data};

use crate::{argument::read_json, cli::EvalOptions, exit::BadInput};

/// Data from the options, the clock and chance.
pub(super) fn read(options: &EvalOptions) -> anyhow::Result<Data> {
    let read = |what: &str, argument: &String| Ok::<_, anyhow::Error>(read_json(what, argument)?.value().clone());
    let optional =
        |what: &str, argument: &Option<String>| argument.as_ref().map(|argument| read(what, argument)).transpose();
    let variables = read("object of variables", &options.vars)?;
    check_names(&variables)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Data {
        input: read("input", &options.input)?,
        context: read("context", &options.context)?,
        result: optional("result", &options.result)?,
        error_output: optional("error output", &options.error_output)?,
        variables,
        now_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
        // The keys of a hasher are the one source of chance in the standard library; each new one has others.
        seed: RandomState::new().build_hasher().finish(),
    })
}

fn check_names(variables: &Value) -> Result<(), BadInput> {
    let Value::Object(variables) = variables else {
        return Err(BadInput("the variables must be an object: {\"name\": value}".to_owned()));
    };
    for name in variables.keys() {
        if &**name == "states" {
            return Err(BadInput("`states` is no variable: see --input, --context and --result".to_owned()));
        }
        if name.starts_with('$') {
            return Err(BadInput(format!("the name of a variable is given without its $: `{name}`")));
        }
    }
    Ok(())
}
