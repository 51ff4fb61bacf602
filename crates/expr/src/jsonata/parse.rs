//! Tokens to a tree, by the binding power of each operator (Pratt's algorithm). What the tree means is put in order by
//! [`super::order`].

use std::ops::Range;
use std::sync::Arc;

use super::Dialect;
use super::ast::Operator;
use super::fault::Fault;
use super::lexer::{Lexer, Token, TokenKind};
use super::regex::Regex;
use super::signature::Signature;
use crate::limits::JSONATA_NESTING_MAX;

#[derive(Debug)]
pub(super) struct Tree {
    pub(super) kind: TreeKind,
    /// Bytes of the text: of the operator, or of the whole of what stands alone.
    pub(super) at: Range<usize>,
    /// `[]` stood behind it.
    pub(super) keep_array: bool,
    depth: usize,
}

type Pairs = Vec<(Tree, Tree)>;

#[derive(Debug)]
pub(super) enum TreeKind {
    /// Where the text ended and an operand should have stood.
    End,
    Null,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    Regex(Arc<Regex>),
    Name(Arc<str>),
    Variable(Arc<str>),
    Wildcard,
    Descendant,
    Parent,
    Placeholder,
    Dot(Box<(Tree, Tree)>),
    Filter(Box<(Tree, Tree)>),
    Group(Box<Tree>, Pairs),
    /// Whether each term is descending.
    Sort(Box<Tree>, Vec<(bool, Tree)>),
    Focus(Box<Tree>, Arc<str>),
    Index(Box<Tree>, Arc<str>),
    Bind(Arc<str>, Box<Tree>),
    Apply(Box<(Tree, Tree)>),
    And(Box<(Tree, Tree)>),
    Or(Box<(Tree, Tree)>),
    Coalesce(Box<(Tree, Tree)>),
    Default(Box<(Tree, Tree)>),
    Binary(Operator, Box<(Tree, Tree)>),
    Negate(Box<Tree>),
    Array(Vec<Tree>),
    Object(Pairs),
    Block(Vec<Tree>),
    Condition(Box<(Tree, Tree, Option<Tree>)>),
    Transform(Box<(Tree, Tree, Option<Tree>)>),
    Call(Box<Tree>, Vec<Tree>),
    Partial(Box<Tree>, Vec<Tree>),
    Lambda {
        parameters: Vec<Arc<str>>,
        signature: Option<Signature>,
        body: Box<Tree>,
    },
}

/// The tree of a whole expression.
pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Tree, Fault> {
    let mut lexer = Lexer::new(text, dialect);
    let token = lexer.next(false)?;
    let mut parser = Parser { lexer, token, depth: 0 };
    let tree = parser.expression(0)?;
    if !matches!(parser.token.kind, TokenKind::End) {
        return Err(parser.token.named_in(Fault::new("S0201")));
    }
    Ok(tree)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    depth: usize,
}

type Parsed<T = Tree> = Result<T, Fault>;

/// How strongly an operator binds what stands before it. Source: JSONata's parser.
fn power(token: &Token) -> usize {
    let TokenKind::Operator(operator) = token.kind else {
        return 0;
    };
    match operator {
        "(" | "[" | "@" | "#" => 80,
        "." => 75,
        "{" => 70,
        "*" | "/" | "%" => 60,
        "+" | "-" | "&" => 50,
        "=" | "<" | ">" | "^" | "!=" | "<=" | ">=" | "~>" | "in" | "?:" | "??" => 40,
        "and" => 30,
        "or" => 25,
        "?" => 20,
        ":=" => 10,
        _ => 0,
    }
}

fn binary(operator: &str) -> Option<Operator> {
    Some(match operator {
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        "*" => Operator::Multiply,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "=" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "&" => Operator::Concatenate,
        "in" => Operator::In,
        _ => return None,
    })
}

impl<'t> Parser<'t> {
    /// Takes the next token and gives the one before. `infix`: an operator may follow, so `/` divides.
    fn advance(&mut self, infix: bool) -> Parsed<Token> {
        let next = self.lexer.next(infix)?;
        if matches!(next.kind, TokenKind::Operator("!" | "~")) {
            return Err(Fault::new("S0204").at(next.at.clone()).token(next.word()));
        }
        Ok(std::mem::replace(&mut self.token, next))
    }

    fn expect(&mut self, operator: &str, infix: bool) -> Parsed<Token> {
        if self.token.is(operator) {
            return self.advance(infix);
        }
        let Token { at, kind } = &self.token;
        Err(match kind {
            TokenKind::End => Fault::new("S0203").at(at.clone()).text(operator),
            _ => self.token.named_in(Fault::new("S0202").text(operator)),
        })
    }

    fn expression(&mut self, bound_by: usize) -> Parsed {
        self.depth += 1;
        if self.depth > JSONATA_NESTING_MAX {
            return Err(too_deep(self.token.at.clone()));
        }
        let parsed = super::stack::grow(|| self.expression_here(bound_by));
        self.depth -= 1;
        parsed
    }

    fn expression_here(&mut self, bound_by: usize) -> Parsed {
        let token = self.advance(true)?;
        let mut left = self.operand(token)?;
        while bound_by < power(&self.token) {
            let token = self.advance(false)?;
            left = self.operation(left, token)?;
        }
        Ok(left)
    }

    /// What `token` begins.
    fn operand(&mut self, token: Token) -> Parsed {
        let Token { kind, at } = token;
        let leaf = |kind: TreeKind| Ok(Tree { kind, at: at.clone(), keep_array: false, depth: 1 });
        let operator = match kind {
            TokenKind::End => return leaf(TreeKind::End),
            TokenKind::Null => return leaf(TreeKind::Null),
            TokenKind::Bool(bool) => return leaf(TreeKind::Bool(bool)),
            TokenKind::Number(number) => return leaf(TreeKind::Number(number)),
            TokenKind::Text(text) => return leaf(TreeKind::Text(text)),
            TokenKind::Regex(regex) => return leaf(TreeKind::Regex(regex)),
            TokenKind::Name(name) => return leaf(TreeKind::Name(name)),
            TokenKind::Variable(name) => return leaf(TreeKind::Variable(name)),
            TokenKind::Operator(operator) => operator,
        };
        match operator {
            // The words of operators are names where an operand stands.
            "and" | "or" | "in" => leaf(TreeKind::Name(operator.into())),
            "*" => leaf(TreeKind::Wildcard),
            "**" => leaf(TreeKind::Descendant),
            "%" => leaf(TreeKind::Parent),
            "-" => {
                let inner = self.expression(70)?;
                tree(TreeKind::Negate(Box::new(inner)), at)
            }
            "(" => {
                let mut parts = Vec::new();
                while !self.token.is(")") {
                    parts.push(self.expression(0)?);
                    if !self.token.is(";") {
                        break;
                    }
                    self.advance(false)?;
                }
                self.expect(")", true)?;
                tree(TreeKind::Block(parts), at)
            }
            "[" => {
                let items = self.items()?;
                tree(TreeKind::Array(items), at)
            }
            "{" => {
                let pairs = self.pairs()?;
                tree(TreeKind::Object(pairs), at)
            }
            "|" => {
                let pattern = self.expression(0)?;
                self.expect("|", false)?;
                let update = self.expression(0)?;
                let delete = match self.token.is(",") {
                    true => {
                        self.advance(false)?;
                        Some(self.expression(0)?)
                    }
                    false => None,
                };
                self.expect("|", false)?;
                tree(TreeKind::Transform(Box::new((pattern, update, delete))), at)
            }
            _ => Err(Fault::new("S0211").at(at).token(operator)),
        }
    }

    /// What the operator `token` makes of what stands before it.
    fn operation(&mut self, left: Tree, token: Token) -> Parsed {
        let Token { kind: TokenKind::Operator(operator), at } = token else {
            return Err(Fault::new("S0201").at(token.at.clone()).token(token.word()));
        };
        let power = power(&Token { kind: TokenKind::Operator(operator), at: at.clone() });
        let kind = match operator {
            "." => TreeKind::Dot(Box::new((left, self.expression(power)?))),
            "and" => TreeKind::And(Box::new((left, self.expression(power)?))),
            "or" => TreeKind::Or(Box::new((left, self.expression(power)?))),
            "~>" => TreeKind::Apply(Box::new((left, self.expression(power)?))),
            "??" => TreeKind::Coalesce(Box::new((left, self.expression(0)?))),
            "?:" => TreeKind::Default(Box::new((left, self.expression(0)?))),
            "(" => return self.call(left, at),
            "[" => {
                if self.token.is("]") {
                    self.advance(false)?;
                    return Ok(keep_array(left));
                }
                let filter = self.expression(0)?;
                self.expect("]", true)?;
                TreeKind::Filter(Box::new((left, filter)))
            }
            "{" => {
                let pairs = self.pairs()?;
                TreeKind::Group(Box::new(left), pairs)
            }
            "^" => {
                self.expect("(", false)?;
                let mut terms = Vec::new();
                loop {
                    let descending = self.token.is(">");
                    if descending || self.token.is("<") {
                        self.advance(false)?;
                    }
                    terms.push((descending, self.expression(0)?));
                    if !self.token.is(",") {
                        break;
                    }
                    self.advance(false)?;
                }
                self.expect(")", false)?;
                TreeKind::Sort(Box::new(left), terms)
            }
            ":=" => {
                let TreeKind::Variable(name) = left.kind else {
                    return Err(Fault::new("S0212").at(left.at));
                };
                let value = self.expression(power - 1)?;
                TreeKind::Bind(name, Box::new(value))
            }
            "@" | "#" => {
                let right = self.expression(power)?;
                let TreeKind::Variable(name) = right.kind else {
                    return Err(Fault::new("S0214").at(right.at).token(operator));
                };
                match operator {
                    "@" => TreeKind::Focus(Box::new(left), name),
                    _ => TreeKind::Index(Box::new(left), name),
                }
            }
            "?" => {
                let then = self.expression(0)?;
                let otherwise = match self.token.is(":") {
                    true => {
                        self.advance(false)?;
                        Some(self.expression(0)?)
                    }
                    false => None,
                };
                TreeKind::Condition(Box::new((left, then, otherwise)))
            }
            _ => match binary(operator) {
                Some(known) => TreeKind::Binary(known, Box::new((left, self.expression(power)?))),
                None => return Err(Fault::new("S0201").at(at).token(operator)),
            },
        };
        tree(kind, at)
    }

    /// `(…)` behind what is called, or behind `function`.
    fn call(&mut self, called: Tree, at: Range<usize>) -> Parsed {
        let mut arguments = Vec::new();
        let mut is_partial = false;
        if !self.token.is(")") {
            loop {
                if self.token.is("?") {
                    is_partial = true;
                    let at = self.token.at.clone();
                    arguments.push(Tree { kind: TreeKind::Placeholder, at, keep_array: false, depth: 1 });
                    self.advance(false)?;
                } else {
                    arguments.push(self.expression(0)?);
                }
                if !self.token.is(",") {
                    break;
                }
                self.advance(false)?;
            }
        }
        self.expect(")", true)?;
        match &called.kind {
            TreeKind::Name(name) if matches!(&**name, "function" | "λ") => self.lambda(arguments, called.at),
            _ => {
                // The name of what is called says where a failure is.
                let at = match called.kind {
                    TreeKind::Variable(_) | TreeKind::Name(_) => called.at.clone(),
                    _ => at,
                };
                let kind = match is_partial {
                    true => TreeKind::Partial(Box::new(called), arguments),
                    false => TreeKind::Call(Box::new(called), arguments),
                };
                tree(kind, at)
            }
        }
    }

    fn lambda(&mut self, arguments: Vec<Tree>, at: Range<usize>) -> Parsed {
        let mut parameters = Vec::new();
        for (index, argument) in arguments.into_iter().enumerate() {
            let TreeKind::Variable(name) = argument.kind else {
                return Err(Fault::new("S0208").at(argument.at).raw((index + 1).to_string()));
            };
            parameters.push(name);
        }
        let mut signature = None;
        if self.token.is("<") {
            let start = self.token.at.start;
            let mut text = String::from("<");
            let mut depth = 1;
            while depth > 0 && !self.token.is("{") && !matches!(self.token.kind, TokenKind::End) {
                self.advance(false)?;
                match self.token.kind {
                    TokenKind::Operator(">") => depth -= 1,
                    TokenKind::Operator("<") => depth += 1,
                    _ => {}
                }
                text.push_str(&self.token.word());
            }
            let end = self.token.at.end;
            self.expect(">", false)?;
            signature = Some(Signature::parse(&text).map_err(|fault| fault.at(start..end))?);
        }
        self.expect("{", false)?;
        let body = self.expression(0)?;
        self.expect("}", false)?;
        tree(TreeKind::Lambda { parameters, signature, body: Box::new(body) }, at)
    }

    /// The items of an array, to the bracket that closes it.
    fn items(&mut self) -> Parsed<Vec<Tree>> {
        let mut items = Vec::new();
        if !self.token.is("]") {
            loop {
                let mut item = self.expression(0)?;
                if self.token.is("..") {
                    let at = self.advance(false)?.at;
                    let to = self.expression(0)?;
                    item = tree(TreeKind::Binary(Operator::Range, Box::new((item, to))), at)?;
                }
                items.push(item);
                if !self.token.is(",") {
                    break;
                }
                self.advance(false)?;
            }
        }
        self.expect("]", true)?;
        Ok(items)
    }

    /// The members of an object, to the brace that closes it.
    fn pairs(&mut self) -> Parsed<Pairs> {
        let mut pairs = Vec::new();
        if !self.token.is("}") {
            loop {
                let key = self.expression(0)?;
                self.expect(":", false)?;
                let value = self.expression(0)?;
                pairs.push((key, value));
                if !self.token.is(",") {
                    break;
                }
                self.advance(false)?;
            }
        }
        self.expect("}", true)?;
        Ok(pairs)
    }
}

/// `left[]`: the step before any filters keeps a single item in its array.
fn keep_array(mut left: Tree) -> Tree {
    let mut step = &mut left;
    while let Tree { kind: TreeKind::Filter(pair), .. } = step {
        step = &mut pair.0;
    }
    step.keep_array = true;
    left
}

fn tree(kind: TreeKind, at: Range<usize>) -> Parsed {
    let depth = 1 + kind.depth();
    match depth > JSONATA_NESTING_MAX {
        true => Err(too_deep(at)),
        false => Ok(Tree { kind, at, keep_array: false, depth }),
    }
}

fn too_deep(at: Range<usize>) -> Fault {
    Fault::new("").at(at).message(format!("an expression must be nested at most {JSONATA_NESTING_MAX} levels deep"))
}

impl TreeKind {
    /// The deepest of the parts.
    fn depth(&self) -> usize {
        let most = |trees: &[Tree]| trees.iter().map(|tree| tree.depth).max().unwrap_or_default();
        let of_pairs = |pairs: &Pairs| pairs.iter().map(|(key, value)| key.depth.max(value.depth)).max();
        match self {
            TreeKind::Dot(pair)
            | TreeKind::Filter(pair)
            | TreeKind::Apply(pair)
            | TreeKind::And(pair)
            | TreeKind::Or(pair)
            | TreeKind::Coalesce(pair)
            | TreeKind::Default(pair)
            | TreeKind::Binary(_, pair) => pair.0.depth.max(pair.1.depth),
            TreeKind::Group(left, pairs) => left.depth.max(of_pairs(pairs).unwrap_or_default()),
            TreeKind::Sort(left, terms) => {
                left.depth.max(terms.iter().map(|(_, term)| term.depth).max().unwrap_or_default())
            }
            TreeKind::Focus(left, _) | TreeKind::Index(left, _) => left.depth,
            TreeKind::Bind(_, inner) | TreeKind::Negate(inner) => inner.depth,
            TreeKind::Array(trees) | TreeKind::Block(trees) => most(trees),
            TreeKind::Object(pairs) => of_pairs(pairs).unwrap_or_default(),
            TreeKind::Condition(parts) | TreeKind::Transform(parts) => {
                let last = parts.2.as_ref().map_or(0, |tree| tree.depth);
                parts.0.depth.max(parts.1.depth).max(last)
            }
            TreeKind::Call(called, arguments) | TreeKind::Partial(called, arguments) => {
                called.depth.max(most(arguments))
            }
            TreeKind::Lambda { body, .. } => body.depth,
            _ => 0,
        }
    }
}
