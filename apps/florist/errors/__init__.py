"""Every refusal of the flower shops: status, code, words (contract florist 1.0). One module per noun."""

from apps.florist.errors.base import *  # noqa: F403
from apps.florist.errors.catalogue import *  # noqa: F403
from apps.florist.errors.customers import *  # noqa: F403
from apps.florist.errors.delivery import *  # noqa: F403
from apps.florist.errors.orders import *  # noqa: F403
from apps.florist.errors.people import *  # noqa: F403
from apps.florist.errors.production import *  # noqa: F403
from apps.florist.errors.stock import *  # noqa: F403
