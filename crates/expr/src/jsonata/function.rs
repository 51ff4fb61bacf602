//! Functions as values, and the table of those that JSONata and AWS have.

mod array;
mod aws;
mod encode;
mod format_number;
mod higher_order;
mod integer;
mod matching;
mod numeric;
mod object;
mod picture;
mod text;
mod time;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use super::ast::{Lambda, Transform};
use super::budget::Outcome;
use super::evaluate::Evaluator;
use super::item::{Frame, Item};
use super::regex::Regex;
use super::signature::Signature;

/// What may be called.
pub(super) enum Function {
    Native(&'static Native),
    Lambda {
        lambda: Arc<Lambda>,
        frame: Rc<Frame>,
        input: Item,
    },
    /// `None` where an argument is still to come.
    Partial {
        function: Item,
        arguments: Vec<Option<Item>>,
    },
    /// `first ~> second`
    Chain(Item, Item),
    Regex(Arc<Regex>),
    /// Gives the next match in a text.
    Next {
        regex: Arc<Regex>,
        text: Arc<str>,
        from: usize,
    },
    Transform {
        transform: Arc<Transform>,
        frame: Rc<Frame>,
    },
}

impl Function {
    /// How many arguments it can take, as JavaScript counts them: `$map` and the like give no more.
    pub(super) fn arity(&self) -> usize {
        match self {
            Function::Native(native) => native.arity,
            Function::Lambda { lambda, .. } => lambda.parameters.len(),
            Function::Partial { arguments, .. } => arguments.iter().filter(|argument| argument.is_none()).count(),
            Function::Chain(..) | Function::Transform { .. } => 1,
            Function::Regex(_) => 2,
            Function::Next { .. } => 0,
        }
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        match self {
            Function::Lambda { input, .. } => super::item::drop_deep(std::mem::take(input)),
            Function::Partial { function, arguments } => {
                super::item::drop_deep((std::mem::take(function), std::mem::take(arguments)));
            }
            Function::Chain(first, second) => {
                super::item::drop_deep((std::mem::take(first), std::mem::take(second)));
            }
            Function::Native(_) | Function::Regex(_) | Function::Next { .. } | Function::Transform { .. } => {}
        }
    }
}

/// A function of JSONata or of AWS.
pub(super) struct Native {
    pub(super) signature: Signature,
    arity: usize,
    /// The arguments are as many as the signature has, of the types that it says.
    pub(super) run: Run,
}

type Run = fn(&mut Evaluator<'_>, &[Item]) -> Outcome;

/// Whether `name` is a function of JSONata or of AWS.
pub(super) fn exists(name: &str) -> bool {
    NATIVES.contains_key(name)
}

/// The function `name`; undefined where there is none.
pub(super) fn native(name: &str) -> Item {
    NATIVES.get(name).map(|native| Item::Function(Rc::new(Function::Native(native)))).unwrap_or_default()
}

static NATIVES: LazyLock<HashMap<&'static str, Native>> = LazyLock::new(|| {
    let natives = TABLE.iter().map(|(name, signature, arity, run)| {
        let signature = Signature::parse(signature).expect("the signatures below are well formed");
        (*name, Native { signature, arity: *arity, run: *run })
    });
    natives.collect()
});

/// Name, signature, arity. Source: JSONata 2.0.6; below, AWS's own.
const TABLE: &[(&str, &str, usize, Run)] = &[
    ("sum", "<a<n>:n>", 1, array::sum),
    ("count", "<a:n>", 1, array::count),
    ("max", "<a<n>:n>", 1, array::max),
    ("min", "<a<n>:n>", 1, array::min),
    ("average", "<a<n>:n>", 1, array::average),
    ("string", "<x-b?:s>", 1, text::string),
    ("substring", "<s-nn?:s>", 3, text::substring),
    ("substringBefore", "<s-s:s>", 2, text::substring_before),
    ("substringAfter", "<s-s:s>", 2, text::substring_after),
    ("lowercase", "<s-:s>", 1, text::lowercase),
    ("uppercase", "<s-:s>", 1, text::uppercase),
    ("length", "<s-:n>", 1, text::length),
    ("trim", "<s-:s>", 1, text::trim),
    ("pad", "<s-ns?:s>", 3, text::pad),
    ("join", "<a<s>s?:s>", 2, text::join),
    ("match", "<s-f<s:o>n?:a<o>>", 3, matching::find_all),
    ("contains", "<s-(sf):b>", 2, matching::contains),
    ("replace", "<s-(sf)(sf)n?:s>", 4, matching::replace),
    ("split", "<s-(sf)n?:a<s>>", 3, matching::split),
    ("formatNumber", "<n-so?:s>", 3, format_number::format_number),
    ("formatBase", "<n-n?:s>", 2, numeric::format_base),
    ("formatInteger", "<n-s:s>", 2, integer::format_integer),
    ("parseInteger", "<s-s:n>", 2, integer::parse_integer),
    ("number", "<(nsb)-:n>", 1, numeric::number),
    ("floor", "<n-:n>", 1, numeric::floor),
    ("ceil", "<n-:n>", 1, numeric::ceil),
    ("round", "<n-n?:n>", 2, numeric::round),
    ("abs", "<n-:n>", 1, numeric::abs),
    ("sqrt", "<n-:n>", 1, numeric::sqrt),
    ("power", "<n-n:n>", 2, numeric::power),
    ("boolean", "<x-:b>", 1, object::boolean),
    ("not", "<x-:b>", 1, object::not),
    ("map", "<af>", 2, higher_order::map),
    ("filter", "<af>", 2, higher_order::filter),
    ("single", "<af?>", 2, higher_order::single),
    ("reduce", "<afj?:j>", 3, higher_order::reduce),
    ("sift", "<o-f?:o>", 2, higher_order::sift),
    ("each", "<o-f:a>", 2, higher_order::each),
    ("sort", "<af?:a>", 2, higher_order::sort),
    ("zip", "<a+>", 0, array::zip),
    ("append", "<xx:a>", 2, array::append),
    ("reverse", "<a:a>", 1, array::reverse),
    ("shuffle", "<a:a>", 1, array::shuffle),
    ("distinct", "<x:x>", 1, array::distinct),
    ("keys", "<x-:a<s>>", 1, object::keys),
    ("lookup", "<x-s:x>", 2, object::lookup),
    ("exists", "<x:b>", 1, object::exists),
    ("spread", "<x-:a<o>>", 1, object::spread),
    ("merge", "<a<o>:o>", 1, object::merge),
    ("type", "<x:s>", 1, object::type_name),
    ("clone", "<(oa)-:o>", 1, object::clone),
    ("error", "<s?:x>", 1, object::error),
    ("assert", "<bs?:x>", 2, object::assert),
    ("base64encode", "<s-:s>", 1, encode::base64_encode),
    ("base64decode", "<s-:s>", 1, encode::base64_decode),
    ("encodeUrlComponent", "<s-:s>", 1, encode::encode_url_component),
    ("encodeUrl", "<s-:s>", 1, encode::encode_url),
    ("decodeUrlComponent", "<s-:s>", 1, encode::decode_url_component),
    ("decodeUrl", "<s-:s>", 1, encode::decode_url),
    ("toMillis", "<s-s?:n>", 2, time::to_millis),
    ("fromMillis", "<n-s?s?:s>", 3, time::from_millis),
    ("now", "<s?s?:s>", 2, time::now),
    ("millis", "<:n>", 0, time::millis),
    ("partition", "<an:a>", 2, aws::partition),
    ("range", "<nnn:a>", 3, aws::range),
    ("hash", "<xs:s>", 2, aws::hash),
    ("random", "<n?:n>", 0, aws::random),
    ("uuid", "<:s>", 0, aws::uuid),
    ("parse", "<s:x>", 1, aws::parse),
];

/// Where the random numbers of an evaluation come from: drawn once from the environment, then spread.
#[derive(Default)]
pub(super) struct Chance(Option<u64>);

impl Chance {
    /// `seed`: asked for the first time alone.
    fn draw(&mut self, seed: impl FnOnce() -> u64) -> u64 {
        let state = self.0.unwrap_or_else(seed).wrapping_add(SPLITMIX_STEP);
        self.0 = Some(state);
        splitmix(state)
    }
}

const SPLITMIX_STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64: spreads the bits of a counter over the whole word.
fn splitmix(state: u64) -> u64 {
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

impl Evaluator<'_> {
    fn draw(&mut self) -> u64 {
        let environment = self.environment;
        self.chance.draw(|| environment.random_u64())
    }

    /// A random number, at least 0 and below 1.
    fn draw_fraction(&mut self) -> f64 {
        fraction(self.draw())
    }
}

fn fraction(bits: u64) -> f64 {
    // The 53 upper bits are as many as a double holds.
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

// Arguments of natives: the signature has checked their types, missing ones are undefined.

fn argument(arguments: &[Item], index: usize) -> Item {
    arguments.get(index).cloned().unwrap_or_default()
}

fn text_of(arguments: &[Item], index: usize) -> Option<&Arc<str>> {
    arguments.get(index).and_then(Item::as_text)
}

fn number_of(arguments: &[Item], index: usize) -> Option<f64> {
    match arguments.get(index) {
        Some(Item::Number(number)) => Some(*number),
        _ => None,
    }
}

fn whole(count: usize) -> Item {
    Item::Number(count as f64)
}
