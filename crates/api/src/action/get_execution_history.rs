//! GetExecutionHistory.

use stepwell_engine::GetHistory;

use crate::{
    action::{Request, describe_execution::refusal},
    arn,
    error::Error,
    fields::{ARN, Fields, PAGE_TOKEN},
    history_event::{self, Data},
    page::{Call, PageFields},
    writer::Writer,
};

pub(crate) async fn answer(request: Request<'_>) -> Result<String, Error> {
    let asked = read(request.fields()?)?;
    let arn = asked.execution_arn.clone();
    let (reverse, with_data) = (asked.reverse, asked.with_data);
    let page = request.engine.history(asked).await.map_err(|error| refusal(error, arn.clone()))?;
    let data = if with_data { Data::All } else { Data::None };
    let mut answer = Writer::object();
    answer.objects("events", &page.events, |event, of| history_event::write(event, of, data));
    if let Some(last) = page.last {
        answer.string("nextToken", &call(&arn, reverse).token(&last.to_be_bytes()));
    }
    Ok(answer.end())
}

fn read(mut fields: Fields<'_>) -> Result<GetHistory, Error> {
    let arn = fields.required_text("executionArn", &ARN)?;
    let page = PageFields::read(&mut fields, &PAGE_TOKEN)?;
    let reverse = fields.optional_bool("reverseOrder")?.unwrap_or(false);
    let with_data = fields.optional_bool("includeExecutionData")?.unwrap_or(true);
    fields.check()?;
    arn::execution(&arn)?;
    let cursor = page.cursor(&call(&arn, reverse))?;
    let after = cursor.map(|cursor| cursor.try_into().map(u64::from_be_bytes)).transpose();
    let after = after.map_err(|_| Error::InvalidToken)?;
    Ok(GetHistory { execution_arn: arn, reverse, with_data, limit: page.limit(), after })
}

fn call(arn: &str, reverse: bool) -> Call<'_> {
    Call { action: "GetExecutionHistory", arguments: [arn, if reverse { "reverse" } else { "forward" }] }
}

#[cfg(test)]
mod tests {
    use stepwell_expr::json;

    use super::*;

    const ARN_TEXT: &str = "arn:aws:states:us-east-1:123456789012:execution:M:E";

    fn read_text(members: &str) -> Result<GetHistory, Error> {
        let body = json::parse(&format!(r#"{{"executionArn":"{ARN_TEXT}"{members}}}"#)).unwrap();
        Fields::of(&body).and_then(read)
    }

    #[test]
    fn defaults() {
        let asked = read_text("").unwrap();
        assert_eq!((asked.reverse, asked.with_data, asked.limit, asked.after), (false, true, 100, None));
        assert_eq!(read_text(r#","maxResults":0"#).unwrap().limit, 100);
        assert_eq!(read_text(r#","maxResults":7"#).unwrap().limit, 7);
    }

    #[test]
    fn a_token_goes_on_in_the_same_direction_only() {
        let token = call(ARN_TEXT, true).token(&7_u64.to_be_bytes());
        let asked = read_text(&format!(r#","reverseOrder":true,"nextToken":"{token}""#)).unwrap();
        assert_eq!(asked.after, Some(7));
        assert_eq!(read_text(&format!(r#","nextToken":"{token}""#)).err(), Some(Error::InvalidToken));
        let short = call(ARN_TEXT, false).token(b"7");
        assert_eq!(read_text(&format!(r#","nextToken":"{short}""#)).err(), Some(Error::InvalidToken));
    }
}
