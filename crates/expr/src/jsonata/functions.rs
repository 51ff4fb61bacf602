//! The functions that AWS adds to JSONata's own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use jlens_core::reads::Read;
use jlens_core::signature::Signature;
use jlens_core::{Bindings, Error, HostFunction, Result, function_catalog};
use md5::Md5;
use serde_json::Value as Json;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::json;
use crate::limits::JSONATA_ARRAY_ITEMS_MAX;

use super::analysis::Findings;
use super::{bounded, source};

/// The functions that draw a number, ours and JSONata's own.
const CHANCE: [&str; 3] = ["random", "uuid", "shuffle"];
/// Pairs of items that a quadratic function compares in a unit of fuel, a microsecond. Each pair is compared once.
const PAIRS_PER_UNIT: u64 = 200;
/// Values that one of our functions makes, and `$clone` copies, in a unit of fuel.
const VALUES_PER_UNIT: u64 = 16;
/// Bytes of a text that one of our functions makes in a unit of fuel.
const TEXT_BYTES_PER_UNIT: u64 = 2_000;
/// What the names begin with under which the prelude keeps the functions that it redefines.
pub(super) const OURS: &str = "stepwell__";
/// About the bytes of such a value.
const VALUE_BYTES: u64 = 64;

/// A function of JSONata.
struct Native {
    signature: String,
    params: usize,
    /// How many arguments it needs so as not to take the context item, where it may.
    needed: usize,
}

static NATIVE: LazyLock<BTreeMap<&'static str, Native>> = LazyLock::new(|| {
    let natives = function_catalog().into_iter().map(|function| {
        let params = Signature::parse(&function.signature).map(|signature| signature.params).unwrap_or_default();
        let needed = match params.iter().any(|param| param.context) {
            true => params.iter().filter(|param| param.context || !param.pattern.ends_with('?')).count(),
            false => 0,
        };
        (function.name, Native { signature: function.signature, params: function.params.len(), needed })
    });
    natives.collect()
});

/// Whether `name` is a function of JSONata or of AWS.
pub(super) fn exists(name: &str) -> bool {
    NATIVE.contains_key(name) || matches!(name, "partition" | "range" | "hash" | "uuid" | "parse")
}

/// Whether a call with that many arguments may take the context item for a missing one.
pub(super) fn may_take_context_item(name: &str, count: usize) -> bool {
    NATIVE.get(name).is_some_and(|native| count < native.needed)
}

/// Whether one of `names` draws a number.
pub(super) fn draw(names: &[Arc<str>]) -> bool {
    names.iter().any(|name| CHANCE.contains(&&**name))
}

/// How the expression behind a prelude is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Quick,
    Metered,
}

/// What comes before the expression, so that what a single step does not pay for is paid for:
///
/// - `$eval`, which AWS does not have, becomes a name like any other that is not bound;
/// - `$distinct` compares every item with every other;
/// - `$clone`, which each transform calls, copies all that it is given;
/// - `$replace` may make a text far larger than what it is given, before its size is looked at;
/// - the meter does not see what a function gives that is passed around, or called last in another. Under a meter each
///   one that may give something large becomes a function of the expression, which calls it in the tree.
///
/// Names for which `hidden` holds are left alone: variables took their place.
pub(super) fn prelude(findings: &Findings, way: Way, hidden: impl Fn(&str) -> bool) -> String {
    let mut text = String::new();
    let mut no_eval = "";
    let mut redefine = |name: &str, params: &str, signature: &str, body: &str| {
        if !hidden(name) {
            text.push_str(&format!("${OURS}{name}:=${name};${name}:=function({params}){signature}{{({body}$r)}};"));
        }
    };
    for name in findings.functions.iter().map(|name| &**name) {
        if name == "distinct" {
            redefine(name, "$a", "<x:x>", "$stepwell__compare($a);$r:=$stepwell__distinct($a);");
        } else if name == "sort" && way == Way::Metered {
            redefine(name, "$a,$b", "<af?:a>", "$r:=$stepwell__calls($b)?$stepwell__sort($a,$b):$stepwell__sort($a);");
        } else if name == "replace" && way == Way::Metered {
            redefine(name, "$a,$b,$c,$d", "<s-(sf)(sf)n?:s>", REPLACE);
        } else if name == "eval" && !hidden(name) {
            no_eval = "$eval:=$stepwell__nothing;";
        }
    }
    if copies(findings) {
        redefine("clone", "$a", "<(oa)-:o>", "$stepwell__copy($a);$r:=$stepwell__clone($a);");
    }
    let wrapped = match way {
        Way::Quick => &findings.function_values,
        Way::Metered => &findings.functions,
    };
    for name in wrapped.iter().map(|name| &**name) {
        let is_own = matches!(name, "distinct" | "clone" | "replace" | "sort" | "eval") || bounded::has(name);
        let is_seen = is_own || way == Way::Metered && (SMALL.contains(&name) || PAID.contains(&name));
        let Some(native) = NATIVE.get(name).filter(|_| !is_seen) else {
            continue;
        };
        // `$string` counts without its default, and then its one parameter does not match its signature.
        let is_short = name == "string" && findings.function_values.iter().any(|value| &**value == name);
        let (count, signature) = if is_short { (1, "") } else { (native.params, native.signature.as_str()) };
        let params: Vec<String> = (0..count).map(|index| format!("$p{index}")).collect();
        let params = params.join(",");
        // What these give holds parts of the text.
        let pay = if way == Way::Metered && PARTS.contains(&name) { "$stepwell__copy($p0);" } else { "" };
        redefine(name, &params, signature, &format!("{pay}$r:=${OURS}{name}({params});"));
    }
    text.push_str(no_eval);
    text
}

/// With the limit that `stepwell__room` gives, the native function makes no more than a little too much; what a function
/// of the expression puts in is paid for.
const REPLACE: &str = "$n:=$stepwell__room($a,$b,$c,$d);\
    $r:=$stepwell__replace($a,$b,$stepwell__calls($c)?function($m){($t:=$c($m);$stepwell__copy($t);$t)}:$c,$n);";

/// Functions that give a number, a truth value or a few characters, so that nobody need see it.
const SMALL: [&str; 23] = [
    "abs",
    "assert",
    "average",
    "boolean",
    "ceil",
    "contains",
    "count",
    "error",
    "exists",
    "floor",
    "formatBase",
    "length",
    "max",
    "millis",
    "min",
    "not",
    "number",
    "parseInteger",
    "power",
    "round",
    "sqrt",
    "sum",
    "type",
];

/// Functions that call another one for each item that they give, so that steps pay for it.
const PAID: [&str; 6] = ["each", "filter", "map", "reduce", "sift", "single"];
/// Functions that cut a text into parts.
const PARTS: [&str; 2] = ["match", "split"];

fn copies(findings: &Findings) -> bool {
    findings.copies || findings.functions.iter().any(|name| &**name == "clone")
}

/// What the functions of one evaluation share: what they may still use, and their source of chance.
#[derive(Debug)]
pub(super) struct Shared {
    /// State of the generator behind `$random` and `$uuid`.
    random: AtomicU64,
    /// Units of fuel.
    fuel_left: AtomicU64,
    bytes_left: AtomicU64,
}

impl Shared {
    pub(super) fn new(seed: u64, fuel: u64, bytes: u64) -> Arc<Shared> {
        let [random, fuel_left, bytes_left] = [seed, fuel, bytes].map(AtomicU64::new);
        Arc::new(Shared { random, fuel_left, bytes_left })
    }

    pub(super) fn fuel_left(&self) -> u64 {
        self.fuel_left.load(Ordering::Relaxed)
    }

    fn draw(&self) -> u64 {
        let state = self.random.fetch_add(SPLITMIX_STEP, Ordering::Relaxed).wrapping_add(SPLITMIX_STEP);
        splitmix(state)
    }

    fn burn(&self, units: u64) -> Result<()> {
        let left = self.fuel_left();
        self.fuel_left.store(left.saturating_sub(units), Ordering::Relaxed);
        if units > left {
            return Err(Error::new("U1006").with("value", left));
        }
        Ok(())
    }

    /// Pays for comparing all items of an array with one another.
    fn compare(&self, items: &Json) -> Result<()> {
        let count = items.as_array().map_or(1, Vec::len) as u64;
        self.burn(count.saturating_mul(source::count_values(items)) / (2 * PAIRS_PER_UNIT))
    }

    /// Pays for making `json`.
    pub(super) fn make(&self, json: &Json) -> Result<()> {
        let values = source::count_values(json);
        let texts = json.as_str().map_or(0, str::len) as u64;
        let left = self.bytes_left.load(Ordering::Relaxed);
        let Some(left) = left.checked_sub(values.saturating_mul(VALUE_BYTES).saturating_add(texts)) else {
            return Err(too_large());
        };
        self.bytes_left.store(left, Ordering::Relaxed);
        self.burn(values / VALUES_PER_UNIT + texts / TEXT_BYTES_PER_UNIT)
    }
}

/// AWS's functions, and those that the prelude calls, for one evaluation: only what `findings` names.
pub(super) fn bindings(findings: &Findings, shared: &Arc<Shared>) -> Bindings {
    let mut bindings = Bindings::new();
    for name in &findings.functions {
        let shared = Arc::clone(shared);
        let (name, function) = match &**name {
            "partition" => ("partition", with_signature("<an:a>", move |args| made(partition(args)?, &shared))),
            "range" => ("range", with_signature("<nnn:a>", move |args| made(range(args)?, &shared))),
            "parse" => ("parse", with_signature("<s:x>", move |args| made(parse(args)?, &shared))),
            "hash" => ("hash", with_signature("<xs:s>", hash)),
            "random" => ("random", with_signature("<n?:n>", move |args| Ok(Some(random(number(args, 0), &shared))))),
            "uuid" => ("uuid", with_signature("<:s>", move |_| Ok(Some(uuid(&shared))))),
            "distinct" => ("stepwell__compare", paying(move |json| shared.compare(json))),
            "join" => ("join", with_signature("<a<s>s?:s>", move |args| made(bounded::join(args)?, &shared))),
            "keys" => ("keys", with_signature("<x-:a<s>>", move |args| made(bounded::keys(args), &shared))),
            "pad" => ("pad", with_signature("<s-ns?:s>", move |args| made(bounded::pad(args)?, &shared))),
            "zip" => ("zip", with_signature("<a+>", move |args| made(bounded::zip(args), &shared))),
            "sort" | "replace" => {
                bindings = bindings.function("stepwell__room", HostFunction::new(4, bounded::room).without_input());
                ("stepwell__calls", HostFunction::new(1, bounded::is_function).without_input())
            }
            _ => continue,
        };
        bindings = bindings.function(name, function);
    }
    let is_text = |name: &Arc<str>| &**name == "replace" || PARTS.contains(&&**name);
    if copies(findings) || findings.functions.iter().any(is_text) {
        let shared = Arc::clone(shared);
        bindings = bindings.function("stepwell__copy", paying(move |json| shared.make(json)));
    }
    bindings
}

fn made(json: Option<Json>, shared: &Shared) -> Result<Option<Json>> {
    if let Some(json) = &json {
        shared.make(json)?;
    }
    Ok(json)
}

/// A function that pays for its argument, and gives nothing.
fn paying(pay: impl Fn(&Json) -> Result<()> + Send + Sync + 'static) -> HostFunction {
    let function = HostFunction::new(1, move |args, _| match args.first() {
        Some(Some(json)) => pay(json).map(|()| None),
        _ => Ok(None),
    });
    function.without_input()
}

pub(super) type Args<'a> = &'a [Option<Json>];

fn with_signature(
    signature: &str,
    function: impl Fn(Args<'_>) -> Result<Option<Json>> + Send + Sync + 'static,
) -> HostFunction {
    HostFunction::with_signature(signature, move |args, _| function(args))
        .expect("the signatures above are well formed")
        .without_input()
}

pub(super) fn number(args: Args<'_>, index: usize) -> Option<f64> {
    args.get(index)?.as_ref()?.as_f64()
}

pub(super) fn text(args: Args<'_>, index: usize) -> Option<&str> {
    args.get(index)?.as_ref()?.as_str()
}

/// `D3137` is the code of JSONata's own `$error`. AWS's codes for these failures are not recorded.
fn failure(message: String) -> Error {
    Error::new("D3137").with("message", message)
}

/// `$partition(array, size)`: arrays of `size` items; the last may be shorter. Undefined without an array.
fn partition(args: Args<'_>) -> Result<Option<Json>> {
    let (Some(Some(Json::Array(items))), Some(size)) = (args.first(), number(args, 1)) else {
        return Ok(None);
    };
    let size = size.floor();
    if size < 1.0 {
        return Err(failure(format!("the size of the parts of $partition must be at least 1, not {size}")));
    }
    // A size beyond `usize` saturates: one part.
    let parts = items.chunks(size as usize).map(|part| Json::Array(part.to_vec()));
    Ok(Some(Json::Array(parts.collect())))
}

/// `$range(first, last, step)`: like any sequence of JSONata, one item is that item and none is undefined.
fn range(args: Args<'_>) -> Result<Option<Json>> {
    let (Some(first), Some(last), Some(step)) = (number(args, 0), number(args, 1), number(args, 2)) else {
        return Ok(None);
    };
    let (first, last, step) = (first.floor(), last.floor(), step.floor());
    if step == 0.0 {
        return Err(failure("the step of $range must not be 0".into()));
    }
    let steps = ((last - first) / step).floor();
    if steps < 0.0 {
        return Ok(None);
    }
    if steps >= JSONATA_ARRAY_ITEMS_MAX as f64 {
        return Err(too_large());
    }
    let mut items: Vec<Json> = (0..=steps as u64).map(|index| Json::from(first + index as f64 * step)).collect();
    Ok(if items.len() == 1 { items.pop() } else { Some(Json::Array(items)) })
}

pub(super) fn too_large() -> Error {
    Error::new("U1001").with("message", format!("An array would hold more than {JSONATA_ARRAY_ITEMS_MAX} items"))
}

/// `$hash(text, algorithm)`: lower-case hex. What is no text is hashed as its JSON.
fn hash(args: Args<'_>) -> Result<Option<Json>> {
    let (Some(Some(data)), Some(algorithm)) = (args.first(), text(args, 1)) else {
        return Ok(None);
    };
    let data = match data {
        Json::String(text) => text.clone(),
        other => jlens_core::format_json(other, false),
    };
    let hex = match algorithm {
        "MD5" => hex(&Md5::digest(data)),
        "SHA-1" => hex(&Sha1::digest(data)),
        "SHA-256" => hex(&Sha256::digest(data)),
        "SHA-384" => hex(&Sha384::digest(data)),
        "SHA-512" => hex(&Sha512::digest(data)),
        other => {
            return Err(failure(format!(
                "the algorithm of $hash must be one of MD5, SHA-1, SHA-256, SHA-384 and SHA-512, not {other}"
            )));
        }
    };
    Ok(Some(Json::String(hex)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or_default());
        }
        text
    })
}

/// `$parse(text)`: the JSON value of the text.
fn parse(args: Args<'_>) -> Result<Option<Json>> {
    let Some(text) = text(args, 0) else {
        return Ok(None);
    };
    match json::parse(text) {
        Ok(value) => Ok(Some(source::cut_json(&value, &Read::Whole))),
        Err(error) => Err(failure(format!("the text given to $parse is not JSON: {error}"))),
    }
}

/// `$random([seed])`: at least 0 and below 1; the same whole seed gives the same number.
fn random(seed: Option<f64>, shared: &Shared) -> Json {
    let bits = match seed {
        Some(seed) => splitmix((seed.floor() as i64).cast_unsigned().wrapping_add(SPLITMIX_STEP)),
        None => shared.draw(),
    };
    // The 53 upper bits are as many as a double holds.
    Json::from((bits >> 11) as f64 / (1_u64 << 53) as f64)
}

/// `$uuid()`: version 4, so 122 bits of chance.
fn uuid(shared: &Shared) -> Json {
    let version = (shared.draw() & 0xFFFF_FFFF_FFFF_0FFF) | 0x4000;
    let variant = (shared.draw() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    Json::String(format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        version >> 32,
        (version >> 16) & 0xFFFF,
        version & 0xFFFF,
        variant >> 48,
        variant & 0xFFFF_FFFF_FFFF
    ))
}

const SPLITMIX_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64: spreads the bits of a counter over the whole word.
fn splitmix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
