//! `stepwell services`: what `aws-sdk` tasks can call, and with which parameters.

use stepwell_expr::Value;
use stepwell_integrations::{ActionFields, Catalogue, CatalogueError, Field};

use crate::{
    cli::ServicesOptions,
    exit::{BadInput, Exit},
    trace::BOLD,
};

pub(crate) fn services(options: &ServicesOptions) -> anyhow::Result<Exit> {
    let catalogue = Catalogue::embedded();
    if !catalogue.is_present() {
        return Err(CatalogueError::Absent.into());
    }
    match options.name.as_deref().map(|name| name.split_once(':').map_or((name, None), |(name, of)| (name, Some(of)))) {
        None => list(catalogue.services().collect(), options.json),
        Some((service, None)) => match catalogue.actions(service) {
            Some(actions) => list(actions.collect(), options.json),
            None => return Err(BadInput(format!("there is no AWS service `{service}`")).into()),
        },
        Some((service, Some(action))) => describe(&catalogue, service, action, options.json)?,
    }
    Ok(Exit::Done)
}

fn list(names: Vec<&str>, json: bool) {
    if json {
        anstream::println!("{}", Value::array(names.into_iter().map(Value::from).collect()));
    } else {
        anstream::println!("{}", names.join("\n"));
    }
}

fn describe(catalogue: &Catalogue, service: &str, action: &str, json: bool) -> anyhow::Result<()> {
    let unknown = || BadInput(format!("there is no action `{service}:{action}` that tasks can call"));
    if !catalogue.knows(service, action) {
        return Err(unknown().into());
    }
    let ActionFields { parameters, results } = catalogue.fields(service, action)?.ok_or_else(unknown)?;
    let resource = format!("arn:aws:states:::aws-sdk:{service}:{action}");
    if json {
        let document = Value::object([
            ("resource", Value::from(resource)),
            ("parameters", Value::array(parameters.iter().map(as_json).collect())),
            ("results", Value::array(results.iter().map(as_json).collect())),
        ]);
        anstream::println!("{document}");
        return Ok(());
    }
    anstream::println!("{BOLD}{resource}{BOLD:#}");
    for (title, fields) in [("Parameters", parameters), ("Results", results)] {
        anstream::println!("{title}{}", if fields.is_empty() { ": none" } else { ":" });
        for Field { name, kind, required } in fields {
            anstream::println!("  {name}: {kind}{}", if required { " (required)" } else { "" });
        }
    }
    Ok(())
}

pub(crate) fn as_json(field: &Field) -> Value {
    Value::object([
        ("name", Value::from(field.name.as_str())),
        ("type", field.kind.as_str().into()),
        ("required", field.required.into()),
    ])
}
