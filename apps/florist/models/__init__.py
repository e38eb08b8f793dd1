"""Tables of the flower shops; nouns depend on each other only from left to right:

shops → catalogue → customers → stock → orders → production → delivery.
"""

from apps.florist.models.catalogue import (
    CalculatorSettings,
    FlowerCategory,
    Material,
    Product,
    ProductComponent,
    ProductImage,
    ProductVariant,
)
from apps.florist.models.customers import BuyerTexts, Customer, CustomerAddress, ImportantDate, StandingOrder
from apps.florist.models.delivery import (
    CourierAction,
    CourierDay,
    DeliveryAttempt,
    DeliveryRun,
    Stop,
)
from apps.florist.models.orders import Comment, Order, OrderHistory, OrderItem, OrderPayment, OrderPhoto, StoredFile
from apps.florist.models.production import ProductionTask, Substitution, TaskItem, TaskStem
from apps.florist.models.shops import (
    DeliverySlot,
    DeliveryZone,
    Employee,
    EmployeeChange,
    RegistrationSession,
    Shop,
    SpecialDay,
)
from apps.florist.models.stock import (
    Batch,
    Currency,
    Movement,
    ShowcaseBouquet,
    StockAlert,
    StockReservation,
    StockTransfer,
    Supply,
    SupplyItem,
)

__all__ = [
    "Batch",
    "BuyerTexts",
    "CalculatorSettings",
    "Comment",
    "CourierAction",
    "CourierDay",
    "Currency",
    "Customer",
    "CustomerAddress",
    "DeliveryAttempt",
    "DeliveryRun",
    "DeliverySlot",
    "DeliveryZone",
    "Employee",
    "EmployeeChange",
    "FlowerCategory",
    "ImportantDate",
    "Material",
    "Movement",
    "Order",
    "OrderHistory",
    "OrderItem",
    "OrderPayment",
    "OrderPhoto",
    "Product",
    "ProductComponent",
    "ProductImage",
    "ProductVariant",
    "ProductionTask",
    "RegistrationSession",
    "Shop",
    "ShowcaseBouquet",
    "SpecialDay",
    "StandingOrder",
    "StockAlert",
    "StockReservation",
    "StockTransfer",
    "StoredFile",
    "Stop",
    "Substitution",
    "Supply",
    "SupplyItem",
    "TaskItem",
    "TaskStem",
]
