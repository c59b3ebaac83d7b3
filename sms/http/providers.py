"""From the settings of a provider's bridge to its provider."""

from datetime import timedelta

from config import bridges as kinds
from config.bridges import Http
from sms.http.android import Android
from sms.http.bandwidth import Bandwidth
from sms.http.described import Described, Description, HookFields
from sms.http.exchange import Provider
from sms.http.jasmin import Jasmin
from sms.http.kannel import Kannel
from sms.http.plivo import Plivo
from sms.http.sinch import Sinch
from sms.http.telnyx import Telnyx
from sms.http.twilio import Twilio
from sms.http.vonage import Vonage

SIGNALWIRE_VALID_AT_MOST = timedelta(hours=4)


def provider_of(settings: Http, receipt_url: str) -> Provider:
    """The provider of one `[sms.NAME]`; `receipt_url` is empty where it cannot reach us."""
    hook_secret = settings.hook_secret.get_secret_value()
    match settings:
        case kinds.Twilio(auth_token=token, account_sid=account):
            return Twilio(
                messages_url=f"{_base(settings.base_url)}/2010-04-01/Accounts/{account}/Messages.json",
                account=account,
                token=token.get_secret_value(),
                signing_key=token.get_secret_value(),
                receipt_url=receipt_url,
            )
        case kinds.SignalWire(project_id=project):
            return Twilio(
                messages_url=f"{_base(settings.base_url)}/api/laml/2010-04-01/Accounts/{project}/Messages",
                account=project,
                token=settings.api_token.get_secret_value(),
                signing_key=settings.signing_key.get_secret_value(),
                receipt_url=receipt_url,
                who="SignalWire",
                signature_header="x-signalwire-signature",
                valid_at_most=SIGNALWIRE_VALID_AT_MOST,
            )
        case kinds.Telnyx():
            return Telnyx(
                base_url=_base(settings.base_url),
                api_key=settings.api_key.get_secret_value(),
                public_key=settings.public_key.get_secret_value(),
                profile=settings.messaging_profile,
                receipt_url=receipt_url,
            )
        case kinds.Bandwidth():
            return Bandwidth(
                base_url=_base(settings.base_url),
                account=settings.account_id,
                application=settings.application_id,
                user=settings.username,
                password=settings.password.get_secret_value(),
                hook_user=settings.hook_username,
                hook_password=settings.hook_password.get_secret_value(),
            )
        case _:
            return _further(settings, receipt_url, hook_secret)


def _further(settings: Http, receipt_url: str, hook_secret: str) -> Provider:
    match settings:
        case kinds.Vonage():
            return Vonage(
                base_url=_base(settings.base_url),
                api_key=settings.api_key.get_secret_value(),
                api_secret=settings.api_secret.get_secret_value(),
                signing_key=settings.signing_key.get_secret_value(),
                signature_method=settings.signature_method,
                hook_secret=hook_secret,
                receipt_url=receipt_url,
            )
        case kinds.Plivo():
            return Plivo(
                base_url=_base(settings.base_url),
                auth_id=settings.auth_id,
                auth_token=settings.auth_token.get_secret_value(),
                receipt_url=receipt_url,
            )
        case kinds.Sinch():
            return Sinch(
                base_url=_base(settings.base_url),
                service_plan=settings.service_plan_id,
                api_token=settings.api_token.get_secret_value(),
                signing_key=settings.signing_key.get_secret_value(),
                hook_secret=hook_secret,
                receipt_url=receipt_url,
            )
        case kinds.Android():
            return Android(
                url=settings.url,
                user=settings.username,
                password=settings.password.get_secret_value(),
                signing_key=settings.signing_key.get_secret_value(),
                sim=settings.sim,
            )
        case kinds.Kannel() | kinds.Jasmin():
            return _own_gateway(settings, receipt_url, hook_secret)
        case kinds.Described():
            return Described(_description(settings, receipt_url, hook_secret))
        case _:
            raise TypeError(f"no provider for {type(settings).__name__}")


def _own_gateway(settings: kinds.Kannel | kinds.Jasmin, receipt_url: str, hook_secret: str) -> Provider:
    """An SMS gateway of the office's own. Without a secret its receipts would be refused, so none are asked for."""
    asked = receipt_url if hook_secret else ""
    user, password = settings.username, settings.password.get_secret_value()
    if isinstance(settings, kinds.Kannel):
        return Kannel(
            url=settings.url, user=user, password=password, smsc=settings.smsc, hook_secret=hook_secret, receipt_url=asked
        )
    return Jasmin(url=settings.url, user=user, password=password, hook_secret=hook_secret, receipt_url=asked)


def _description(settings: kinds.Described, receipt_url: str, hook_secret: str) -> Description:
    receipt, inbound = settings.receipt, settings.inbound
    return Description(
        url=settings.url,
        headers=settings.headers,
        body=settings.body,
        fields=settings.fields,
        id=settings.id,
        accepted=frozenset(settings.accepted),
        refused=frozenset(settings.refused),
        temporary=frozenset(settings.temporary),
        secret=settings.secret.get_secret_value(),
        hook_secret=hook_secret,
        hook_answer=settings.hook_answer,
        receipt_url=receipt_url if hook_secret else "",
        receipt=HookFields(
            id=receipt.id,
            key=receipt.key,
            to=receipt.to,
            state=receipt.state,
            delivered=frozenset(receipt.delivered),
            undelivered=frozenset(receipt.undelivered),
        )
        if receipt
        else HookFields(),
        inbound=HookFields(id=inbound.id, sender=inbound.sender, to=inbound.to, text=inbound.text) if inbound else HookFields(),
    )


def _base(url: str) -> str:
    return url.rstrip("/")
