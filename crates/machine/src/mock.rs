//! Mocked tasks: a test case answers them, nothing is called.
//!
//! The file is the mock configuration file of Step Functions Local:
//!
//! ```text
//! {"StateMachines": {MACHINE: {"TestCases": {CASE: {STATE: RESPONSE}}}},
//!  "MockedResponses": {RESPONSE: {"0": {"Throw": {"Error": .., "Cause": ..}}, "1-2": {"Return": JSON}}}}
//! ```
//!
//! The keys of a response are the attempts that it answers: 0 is the first run of the state, 1 its first retry. The
//! chosen test case is part of the execution, so that a later change of the file changes nothing that runs.
//! Source: Step Functions guide, "Testing state machines locally with mocked service integrations".

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use stepwell_expr::{Object, Payload, Value, json};

use crate::{effect::TaskOutcome, failure::Failure, limits, program::Program, state::Kind};

/// Why a test case cannot be used. Places are member names joined by dots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MockError {
    #[error("the mock configuration is not JSON: {0}")]
    NotJson(String),
    #[error("the mock configuration must not be larger than {} bytes", limits::MOCK_CONFIG_BYTES_MAX)]
    TooLarge,
    #[error("the mock configuration is wrong at `{place}`: {problem}")]
    Invalid { place: String, problem: String },
    #[error("the mock configuration has no state machine `{0}`")]
    NoStateMachine(String),
    #[error("the mock configuration has no test case `{case}` for the state machine `{machine}`")]
    NoTestCase { machine: String, case: String },
    #[error("the test case mocks `{0}`, which is no Task state of the state machine")]
    NoSuchTask(Arc<str>),
}

/// How the tasks of one execution are answered.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// State name to response name; states that are not here call their service.
    states: BTreeMap<Arc<str>, Arc<str>>,
    responses: BTreeMap<Arc<str>, Vec<Answer>>,
    text: Arc<str>,
}

/// One entry of a response: the attempts `first..=last`.
#[derive(Clone, Debug)]
struct Answer {
    first: u64,
    last: u64,
    outcome: TaskOutcome,
}

impl TestCase {
    /// Takes one test case out of the text of a mock configuration file, all of which is checked.
    pub fn select(config: &str, machine: &str, case: &str) -> Result<TestCase, MockError> {
        let config = Config::read(config)?;
        let cases = config.machines.get(machine).ok_or_else(|| MockError::NoStateMachine(machine.to_owned()))?;
        let states = cases
            .get(case)
            .ok_or_else(|| MockError::NoTestCase { machine: machine.to_owned(), case: case.to_owned() })?;
        Ok(config.test_case(states))
    }

    /// The state machines of a mock configuration file that have a test case of this name.
    pub fn machines_with(config: &str, case: &str) -> Result<Vec<Arc<str>>, MockError> {
        let config = Config::read(config)?;
        let machines = config.machines.into_iter().filter(|(_, cases)| cases.contains_key(case));
        Ok(machines.map(|(machine, _)| machine).collect())
    }

    /// The test case as a text of its own, from which [`TestCase::restore`] makes it again.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// `None`: the text was not made by [`TestCase::text`].
    pub fn restore(text: &str) -> Option<TestCase> {
        let value = json::parse(text).ok()?;
        let states = members(value.get(STATES)?, STATES).ok()?;
        let states = states.iter().map(|(state, name)| Some((state.clone(), name.as_str()?.into())));
        let states = states.collect::<Option<BTreeMap<_, _>>>()?;
        Some(Config { machines: BTreeMap::new(), responses: responses(&value).ok()? }.test_case(&states))
    }

    /// A name that is no Task state of `program` is refused: its service would be called after all.
    ///
    /// Differs from AWS: Step Functions Local ignores it.
    pub fn check(&self, program: &Program) -> Result<(), MockError> {
        let tasks = program.states.iter().filter(|state| matches!(state.kind, Kind::Task(_)));
        let tasks: BTreeSet<&str> = tasks.map(|state| &*state.name).collect();
        match self.states.keys().find(|state| !tasks.contains(&***state)) {
            Some(state) => Err(MockError::NoSuchTask(state.clone())),
            None => Ok(()),
        }
    }

    /// What a state's task comes to at its run number `attempt`, counted from 0. `None`: the state is not mocked.
    pub(crate) fn outcome(&self, state: &str, attempt: u64) -> Option<TaskOutcome> {
        let name = self.states.get(state)?;
        let answers = self.responses.get(name).map(Vec::as_slice).unwrap_or_default();
        let answer = answers.iter().find(|answer| (answer.first..=answer.last).contains(&attempt));
        Some(answer.map(|answer| answer.outcome.clone()).unwrap_or_else(|| {
            let text = format!("the mocked response `{name}` has no answer for attempt {attempt}");
            TaskOutcome::Failed(Failure::new("States.Runtime", text))
        }))
    }
}

const STATES: &str = "States";
const STATE_MACHINES: &str = "StateMachines";
const TEST_CASES: &str = "TestCases";
const MOCKED_RESPONSES: &str = "MockedResponses";

type States = BTreeMap<Arc<str>, Arc<str>>;
/// By name: its answers, and what the file says.
type Responses = BTreeMap<Arc<str>, (Vec<Answer>, Value)>;

struct Config {
    machines: BTreeMap<Arc<str>, BTreeMap<Arc<str>, States>>,
    responses: Responses,
}

impl Config {
    fn read(text: &str) -> Result<Config, MockError> {
        if text.len() > limits::MOCK_CONFIG_BYTES_MAX {
            return Err(MockError::TooLarge);
        }
        let value = json::parse(text).map_err(|error| MockError::NotJson(error.place(text)))?;
        only(&value, "", &[STATE_MACHINES, MOCKED_RESPONSES])?;
        let responses = responses(&value)?;
        let mut machines = BTreeMap::new();
        for (machine, content) in members(required(&value, "", STATE_MACHINES)?, STATE_MACHINES)? {
            let place = format!("{STATE_MACHINES}.{machine}");
            only(content, &place, &[TEST_CASES])?;
            let cases_place = format!("{place}.{TEST_CASES}");
            let mut cases = BTreeMap::new();
            for (case, content) in members(required(content, &place, TEST_CASES)?, &cases_place)? {
                let place = format!("{cases_place}.{case}");
                cases.insert(case.clone(), states(content, &place, &responses)?);
            }
            machines.insert(machine.clone(), cases);
        }
        Ok(Config { machines, responses })
    }

    /// Only the responses that its states use are kept.
    fn test_case(&self, states: &States) -> TestCase {
        let used = self.responses.iter().filter(|(name, _)| states.values().any(|used| used == *name));
        let texts = used.clone().map(|(name, (_, value))| (name.clone(), value.clone()));
        let text = Value::object([
            (STATES, Value::object(states.iter().map(|(state, name)| (state.clone(), Value::String(name.clone()))))),
            (MOCKED_RESPONSES, Value::object(texts)),
        ]);
        let responses = used.map(|(name, (answers, _))| (name.clone(), answers.clone())).collect();
        TestCase { states: states.clone(), responses, text: text.to_string().into() }
    }
}

fn states(content: &Value, place: &str, responses: &Responses) -> Result<States, MockError> {
    let mut states = BTreeMap::new();
    for (state, name) in members(content, place)? {
        let place = format!("{place}.{state}");
        let Value::String(name) = name else {
            return Err(invalid(&place, "expected the name of a mocked response"));
        };
        if !responses.contains_key(name) {
            return Err(invalid(&place, format!("there is no mocked response `{name}`")));
        }
        states.insert(state.clone(), name.clone());
    }
    Ok(states)
}

fn responses(value: &Value) -> Result<Responses, MockError> {
    let mut responses = BTreeMap::new();
    for (name, content) in members(required(value, "", MOCKED_RESPONSES)?, MOCKED_RESPONSES)? {
        let place = format!("{MOCKED_RESPONSES}.{name}");
        responses.insert(name.clone(), (answers(content, &place)?, content.clone()));
    }
    Ok(responses)
}

/// Attempts begin with 0 and leave none out.
fn answers(content: &Value, place: &str) -> Result<Vec<Answer>, MockError> {
    let mut answers = Vec::new();
    for (attempts, content) in members(content, place)? {
        let place = format!("{place}.{attempts}");
        let range = match attempts.split_once('-') {
            Some((first, last)) => number(first).zip(number(last)),
            None => number(attempts).map(|attempt| (attempt, attempt)),
        };
        let Some((first, last)) = range.filter(|(first, last)| first <= last) else {
            return Err(invalid(&place, "expected an attempt such as `0`, or a range such as `1-2`"));
        };
        answers.push(Answer { first, last, outcome: outcome(content, &place)? });
    }
    answers.sort_by_key(|answer| answer.first);
    let mut next = 0;
    for answer in &answers {
        if answer.first != next {
            return Err(invalid(place, format!("attempt {next} must be answered once, and attempts begin with 0")));
        }
        next = answer.last.saturating_add(1);
    }
    if answers.is_empty() {
        return Err(invalid(place, "expected an answer for attempt `0`"));
    }
    Ok(answers)
}

/// Digits alone: `+1` is no attempt.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn outcome(content: &Value, place: &str) -> Result<TaskOutcome, MockError> {
    const RETURN: &str = "Return";
    const THROW: &str = "Throw";
    only(content, place, &[RETURN, THROW])?;
    match (content.get(RETURN), content.get(THROW)) {
        (Some(output), None) => Ok(TaskOutcome::Succeeded { output: Payload::from_value(output.clone()) }),
        (None, Some(throw)) => {
            let place = format!("{place}.{THROW}");
            only(throw, &place, &["Error", "Cause"])?;
            let text = |name: &str| match throw.get(name) {
                None => Ok(None),
                Some(Value::String(text)) => Ok(Some(text.clone())),
                Some(_) => Err(invalid(&format!("{place}.{name}"), "expected a string")),
            };
            let error = text("Error")?.ok_or_else(|| invalid(&place, "the member `Error` is missing"))?;
            Ok(TaskOutcome::Failed(Failure { error: Some(error), cause: text("Cause")? }))
        }
        _ => Err(invalid(place, "expected either `Return` or `Throw`")),
    }
}

fn members<'v>(value: &'v Value, place: &str) -> Result<&'v Object, MockError> {
    value.as_object().ok_or_else(|| invalid(place, "expected an object"))
}

fn required<'v>(value: &'v Value, place: &str, name: &str) -> Result<&'v Value, MockError> {
    value.get(name).ok_or_else(|| invalid(place, format!("the member `{name}` is missing")))
}

fn only(value: &Value, place: &str, known: &[&str]) -> Result<(), MockError> {
    match members(value, place)?.keys().find(|name| !known.contains(&&***name)) {
        Some(name) => Err(invalid(place, format!("the member `{name}` is not known"))),
        None => Ok(()),
    }
}

fn invalid(place: &str, problem: impl Into<String>) -> MockError {
    let place = if place.is_empty() { "the top level" } else { place };
    MockError::Invalid { place: place.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{
        "StateMachines": {"M": {"TestCases": {"Happy": {"A": "ok"}, "Retried": {"A": "late", "B": "ok"}}}},
        "MockedResponses": {
            "ok": {"0": {"Return": {"n": 1.50}}},
            "late": {"0": {"Throw": {"Error": "E", "Cause": "c"}}, "1-2": {"Throw": {"Error": "F"}}, "3": {"Return": []}}
        }}"#;

    fn shown(case: &TestCase, state: &str, attempt: u64) -> String {
        match case.outcome(state, attempt) {
            None => "not mocked".to_owned(),
            Some(TaskOutcome::Succeeded { output }) => output.text().to_string(),
            Some(TaskOutcome::Failed(failure)) => format!("{:?} {:?}", failure.error, failure.cause),
        }
    }

    #[test]
    fn the_attempt_chooses_the_answer_also_after_a_restore() {
        let case = TestCase::select(CONFIG, "M", "Retried").unwrap();
        let restored = TestCase::restore(case.text()).unwrap();
        for case in [&case, &restored] {
            assert_eq!(shown(case, "A", 0), r#"Some("E") Some("c")"#);
            assert_eq!(shown(case, "A", 1), r#"Some("F") None"#);
            assert_eq!(shown(case, "A", 2), r#"Some("F") None"#);
            assert_eq!(shown(case, "A", 3), "[]");
            assert!(shown(case, "A", 4).contains("`late` has no answer for attempt 4"));
            assert_eq!(shown(case, "B", 0), r#"{"n":1.5}"#);
            assert_eq!(shown(case, "C", 0), "not mocked");
        }
        assert!(!TestCase::select(CONFIG, "M", "Happy").unwrap().text().contains("late"));
        assert_eq!(TestCase::machines_with(CONFIG, "Happy").unwrap(), ["M".into()]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            ("{", "the mock configuration is not JSON"),
            ("{}", "wrong at `the top level`: the member `MockedResponses` is missing"),
            (r#"{"StateMachines": {}, "MockedResponses": {}, "X": 1}"#, "the member `X` is not known"),
            (r#"{"StateMachines": {}, "MockedResponses": {}}"#, "no state machine `M`"),
            (r#"{"StateMachines": {"M": {"TestCases": {}}}, "MockedResponses": {}}"#, "no test case `C`"),
            (
                r#"{"StateMachines": {"M": {"TestCases": {"C": {"A": "r"}}}}, "MockedResponses": {}}"#,
                "at `StateMachines.M.TestCases.C.A`: there is no mocked response `r`",
            ),
            (r#"{"StateMachines": {}, "MockedResponses": {"r": {"1": {"Return": 1}}}}"#, "attempt 0 must be answered"),
            (
                r#"{"StateMachines": {}, "MockedResponses": {"r": {"0-1": {"Return": 1}, "1": {"Return": 1}}}}"#,
                "attempt 2 must be answered once",
            ),
            (r#"{"StateMachines": {}, "MockedResponses": {"r": {"x": {"Return": 1}}}}"#, "at `MockedResponses.r.x`"),
            (r#"{"StateMachines": {}, "MockedResponses": {"r": {"2-1": {"Return": 1}}}}"#, "such as `1-2`"),
            (r#"{"StateMachines": {}, "MockedResponses": {"r": {"0": {}}}}"#, "either `Return` or `Throw`"),
            (r#"{"StateMachines": {}, "MockedResponses": {"r": {"0": {"Throw": {}}}}}"#, "`Error` is missing"),
        ];
        for (config, expected) in cases {
            let error = TestCase::select(config, "M", "C").unwrap_err().to_string();
            assert!(error.contains(expected), "{config}: {error}");
        }
    }
}
