//! What an expression is evaluated with.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::{SystemTime, UNIX_EPOCH},
};

use stepwell_expr::{Environment, Fuel, Value};
use stepwell_machine::limits::FUEL_EVALUATION;

use crate::{argument::read_json, cli::EvalOptions, exit::BadInput};

/// Data from the options, the clock, chance, and fuel for one evaluation.
pub(super) struct Given {
    input: Value,
    context: Value,
    result: Option<Value>,
    error_output: Option<Value>,
    /// An object: names without `$`.
    variables: Value,
    now_ms: i64,
    fuel: Fuel,
}

impl Given {
    pub(super) fn read(options: &EvalOptions) -> anyhow::Result<Given> {
        let read = |what: &str, argument: &String| Ok::<_, anyhow::Error>(read_json(what, argument)?.value().clone());
        let optional =
            |what: &str, argument: &Option<String>| argument.as_ref().map(|argument| read(what, argument)).transpose();
        let variables = read("object of variables", &options.vars)?;
        check_names(&variables)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Given {
            input: read("input", &options.input)?,
            context: read("context", &options.context)?,
            result: optional("result", &options.result)?,
            error_output: optional("error output", &options.error_output)?,
            variables,
            now_ms: i64::try_from(now.as_millis()).unwrap_or(i64::MAX),
            fuel: Fuel::new(FUEL_EVALUATION),
        })
    }

    /// The same, with all the fuel again.
    pub(super) fn refuelled(&self) -> Given {
        Given {
            input: self.input.clone(),
            context: self.context.clone(),
            result: self.result.clone(),
            error_output: self.error_output.clone(),
            variables: self.variables.clone(),
            now_ms: self.now_ms,
            fuel: Fuel::new(FUEL_EVALUATION),
        }
    }
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

impl Environment for Given {
    fn input(&self) -> &Value {
        &self.input
    }

    fn context(&self) -> &Value {
        &self.context
    }

    fn result(&self) -> Option<&Value> {
        self.result.as_ref()
    }

    fn error_output(&self) -> Option<&Value> {
        self.error_output.as_ref()
    }

    fn variable(&self, name: &str) -> Option<Value> {
        self.variables.get(name).cloned()
    }

    fn random_u64(&self) -> u64 {
        // The keys of a hasher are the one source of chance in the standard library; each new one has others.
        RandomState::new().build_hasher().finish()
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn fuel(&self) -> &Fuel {
        &self.fuel
    }
}
