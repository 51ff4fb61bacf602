//! The functions that AWS adds to JSONata's own.

use std::borrow::Cow;
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

use super::source;

/// The functions that draw a number, ours and JSONata's own.
const CHANCE: [&str; 3] = ["random", "uuid", "shuffle"];
/// The functions of the engine that take a time quadratic in the items they are given.
const QUADRATIC: [&str; 2] = ["distinct", "keys"];
/// Pairs of items that a quadratic function compares in a unit of fuel, a microsecond. Each pair is compared once.
const PAIRS_PER_UNIT: u64 = 200;
/// The function that the quadratic ones call before or after they run, to pay for it.
const SPEND: &str = "stepwell__spend";

/// For each function of JSONata: how many arguments it needs so as not to take the context item, where it may.
static NATIVE: LazyLock<BTreeMap<&'static str, usize>> = LazyLock::new(|| {
    let needed = |signature: &str| {
        let params = Signature::parse(signature).map(|signature| signature.params).unwrap_or_default();
        if params.iter().any(|param| param.context) {
            params.iter().filter(|param| param.context || !param.pattern.ends_with('?')).count()
        } else {
            0
        }
    };
    function_catalog().into_iter().map(|function| (function.name, needed(&function.signature))).collect()
});

/// Whether `name` is a function of JSONata or of AWS.
pub(super) fn exists(name: &str) -> bool {
    NATIVE.contains_key(name) || matches!(name, "partition" | "range" | "hash" | "uuid" | "parse")
}

/// Whether a call with that many arguments may take the context item for a missing one.
pub(super) fn may_take_context_item(name: &str, count: usize) -> bool {
    NATIVE.get(name).is_some_and(|needed| count < *needed)
}

/// Whether one of `names` draws a number.
pub(super) fn draw(names: &[Arc<str>]) -> bool {
    names.iter().any(|name| CHANCE.contains(&&**name))
}

/// Expressions that come before one that names a quadratic function, so that its calls are paid for.
pub(super) fn prelude(names: &[Arc<str>]) -> String {
    let mut text = String::new();
    for name in names {
        match &**name {
            "distinct" => text.push_str(
                "$stepwell__distinct:=$distinct;\
                 $distinct:=function($a)<x:x>{($stepwell__spend($a);$stepwell__distinct($a))};",
            ),
            "keys" => text.push_str(
                "$stepwell__keys:=$keys;\
                 $keys:=function($a)<x-:a<s>>{($k:=$stepwell__keys($a);$stepwell__spend($k);$k)};",
            ),
            _ => {}
        }
    }
    text
}

/// The functions among `names` that depend on nothing but their arguments.
pub(super) fn pure(names: &[Arc<str>]) -> Bindings {
    names.iter().fold(Bindings::new(), |bindings, name| {
        let function = match &**name {
            "partition" => with_signature("<an:a>", partition),
            "range" => with_signature("<nnn:a>", range),
            "hash" => with_signature("<xs:s>", hash),
            "parse" => with_signature("<s:x>", parse),
            _ => return bindings,
        };
        bindings.function(&**name, function)
    })
}

/// What the functions of one evaluation share.
#[derive(Debug)]
pub(super) struct Shared {
    /// State of the generator behind `$random` and `$uuid`.
    random: AtomicU64,
    /// Units of fuel that quadratic functions may still take.
    fuel_left: AtomicU64,
}

impl Shared {
    pub(super) fn new(seed: u64, fuel: u64) -> Arc<Shared> {
        Arc::new(Shared { random: AtomicU64::new(seed), fuel_left: AtomicU64::new(fuel) })
    }

    pub(super) fn fuel_left(&self) -> u64 {
        self.fuel_left.load(Ordering::Relaxed)
    }

    fn draw(&self) -> u64 {
        let state = self.random.fetch_add(SPLITMIX_STEP, Ordering::Relaxed).wrapping_add(SPLITMIX_STEP);
        splitmix(state)
    }

    /// Pays for comparing `items` with one another.
    fn spend(&self, items: u64) -> Result<()> {
        let units = items.saturating_mul(items) / (2 * PAIRS_PER_UNIT);
        let left = self.fuel_left();
        self.fuel_left.store(left.saturating_sub(units), Ordering::Relaxed);
        if units > left {
            return Err(Error::new("U1006").with("value", left));
        }
        Ok(())
    }
}

/// `bindings` with those functions among `names` that need `shared`.
pub(super) fn with_shared<'b>(bindings: &'b Bindings, names: &[Arc<str>], shared: &Arc<Shared>) -> Cow<'b, Bindings> {
    let mut bindings = Cow::Borrowed(bindings);
    for name in names {
        let shared = Arc::clone(shared);
        let (name, function) = match &**name {
            "random" => ("random", with_signature("<n?:n>", move |args| Ok(Some(random(number(args, 0), &shared))))),
            "uuid" => ("uuid", with_signature("<:s>", move |_| Ok(Some(uuid(&shared))))),
            quadratic if QUADRATIC.contains(&quadratic) => (SPEND, spend(shared)),
            _ => continue,
        };
        bindings = Cow::Owned(bindings.into_owned().function(name, function));
    }
    bindings
}

/// Pays for a quadratic function that is given the items of an array.
fn spend(shared: Arc<Shared>) -> HostFunction {
    let function = HostFunction::new(1, move |args, _| {
        let items = match args.first() {
            Some(Some(Json::Array(items))) => items.len(),
            _ => 1,
        };
        shared.spend(items as u64).map(|()| None)
    });
    function.without_input()
}

type Args<'a> = &'a [Option<Json>];

fn with_signature(
    signature: &str,
    function: impl Fn(Args<'_>) -> Result<Option<Json>> + Send + Sync + 'static,
) -> HostFunction {
    HostFunction::with_signature(signature, move |args, _| function(args))
        .expect("the signatures above are well formed")
        .without_input()
}

fn number(args: Args<'_>, index: usize) -> Option<f64> {
    args.get(index)?.as_ref()?.as_f64()
}

fn text(args: Args<'_>, index: usize) -> Option<&str> {
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

fn too_large() -> Error {
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
