### Что читает человек, по-русски. Те же сообщения с теми же переменными есть на каждом языке.
### Лонги и шорты: чьи позиции ликвидируются. Что говорит карта, то оценка: оц.
### Ничего не обещаем и не советуем.

## First lines

severity-critical = КРИТИЧНО
severity-warning = ВАЖНО
severity-info = ИНФО
against-map = ПРОТИВ КАРТЫ

cascade = { $position ->
    [long] КАСКАД ЛОНГОВ
    [short] ШОРТ-СКВИЗ
   *[none] КАСКАД ЛИКВИДАЦИЙ
}
cascade-started = { cascade } НАЧАЛСЯ
cascade-stalled = { cascade } ЗАМЕР
cascade-resumed = { cascade } ПРОДОЛЖИЛСЯ
cascade-ended = { cascade } ОКОНЧЕН, { $outcome ->
    [exhausted] ВЫДОХСЯ
    [absorbed] ПОГЛОЩЁН
    [rejected] ОТВЕРГНУТ
   *[unknown] ИСХОД НЕЯСЕН
}
cascade-running = { cascade } ИДЁТ
cascade-growing = { cascade } РАСТЁТ
at-price = на { $price }
after = через { $lasted }

level-approached = ПОДХОДИТ К { $level }
level-approached-unknown = ПОДХОДИТ К уровню
level-of = (УРОВЕНЬ { $position ->
    [long] ЛОНГОВ
   *[short] ШОРТОВ
})
level-verdict = { $verdict ->
    [accelerated] УСКОРЕНИЕ на
    [faded] ЗАТУХАНИЕ у
    [reversed] ОТБОЙ от
   *[unknown] ВЕРДИКТ по
} { $level }
level-verdict-unknown = { $verdict ->
    [accelerated] УСКОРЕНИЕ на уровне
    [faded] ЗАТУХАНИЕ у уровня
    [reversed] ОТБОЙ от уровня
   *[unknown] ВЕРДИКТ по уровню
}
nth-approach = { $count }-й подход

map-digest = СВОДКА КАРТЫ
shorts-to-longs = шорты к лонгам { $ratio }
map-tilts = КАРТА: { $position ->
    [long] ПЕРЕВЕС ЛОНГОВ
    [short] ПЕРЕВЕС ШОРТОВ
   *[none] ПЕРЕВЕСА БОЛЬШЕ НЕТ
}

feed-degraded = СБОЙ ДАННЫХ
feed-recovered = ДАННЫЕ СНОВА ИДУТ
feeds-degraded = СБОЙ ДАННЫХ
feeds-recovered = ДАННЫЕ СНОВА ИДУТ
venues = { $count ->
    [one] { $count } площадка
    [few] { $count } площадки
   *[many] { $count } площадок
}
venues-all = { $count ->
    [one] { $count } площадка, все
    [few] все { $count } площадки
   *[many] все { $count } площадок
}

config-applied = Настройки применены
config-rejected = Настройки ОТКЛОНЕНЫ, действуют прежние

market = РЫНОК
market-cascade = { market } { cascade }
market-cascade-ended = { market } { cascade } ОКОНЧЕН
coins = { $count ->
    [one] { $count } монета
    [few] { $count } монеты
   *[many] { $count } монет
}

## Marks

possible-duplicate = (возможен повтор)
late = с опозданием, от { $time }:
sample = ОБРАЗЕЦ, это не настоящий алерт
more-lines = (ещё { $count ->
    [one] { $count } строка
    [few] { $count } строки
   *[many] { $count } строк
})

## Levels and amounts

held-at = { $amount } на { $zone }
level-estimate = оц. { $held }
level-imported = оц. { $held } (импорт)
level-observed = { $held } (опубликованные позиции)
level-user = { $zone } (ваш уровень)
level-user-mapped = { $zone } (ваш уровень, там оц. { $amount })
level-unmapped = { $zone } (вне карты)
here = Уровень: { $level }
here-unmapped = Вне карты: здесь нет известного кластера
ahead = Впереди: { $level }
away = до него { $distance }%

span-s = { $count } с
span-min = { $count } мин
span-h = { $count } ч
span-d = { $count } д

## Cascades

most-affected = Сильнее всего: { $coins }
move-60s = { $move } за 60 с
moved = Движение { $move }
now = сейчас { $price }

flow = { $direction ->
    [up] покупки
    [down] продажи
   *[none] ордера
}
forced = Принудительные { flow } { $amounts }
forced-none = Принудительные { flow } не замечены { $windows }
or = или
in-30s = за 30 с
in-60s = за 60 с
in-all = всего
in-last-seconds = в секунду под конец
in-worst-minute = за худшую минуту
since-approach = с начала подхода

rare = Объём { $times }x от того, что лента показывает раз в { $span }
rare-throttled = Объём { $times }x от того, что неполные ленты показывают раз в { $span }
ran-on = цена прошла с ним { $sigma }σ
sure-burst = Не подтверждено: так может выглядеть и серия стоп-лоссов
sure-confirmed = Подтверждено: принудительные ордера и цена подпитывают друг друга
sure-strong = Подтверждено: принудительные ордера и цена сильно подпитывают друг друга
impact-part = Видимые принудительные ордера объясняют лишь часть движения
impact-least = Одни принудительные ордера объясняют движение в ≥{ $sigma }σ
impact-range = Одни принудительные ордера объясняют движение в оц. { $sigmas }
impact-asked = порог { $sigma }σ

speed = Скорость { $speed } б.п./мин
speed-before = Скорость { $speed }
speed-after = { $speed } б.п./мин
acceleration = ускорение { $sigma }σ
drift = сдвиг { $sigma }σ за 30 с

open-interest-5m = ОИ { $value } за 5 мин
opening = открытие
closing = закрытие
funding = фандинг { $value }/8 ч
spot-flow = дельта спота { $value }
confirms = подтверждает
against = против
basis = базис { $value } б.п.
volatility-rank = ранг волатильности { $value }%
old = { $age } назад

coverage = Полные ленты охватывают { $share } открытого интереса
blind = не слышно: { $venues }
not-believed = не верим: { $venues }
learning = Обучение: { $hours } из { $needed } ч
warming-up = волатильность ещё набирается
map-of = карте { $span }

leg-given-back = Отдано { $share }% хода
given-back = отдано { $share }%
crossed = Пройдено: { $levels }
swept = На пути лежало оц. { $amount } карты
beyond-volatility = Скорость { $times }x от той, что следует из волатильности
not-followed = Конец не прослежен: ленты молчали или были исключены

running-price = { $price } ({ $change } с начала), { $direction ->
    [down] минимум
   *[up] максимум
} { $extreme }
running-forced = Принудительные { flow } { $total } (пик { $peak }/мин, сейчас { $now }/мин)
rungs = Ступени: { $rungs }
next-rung = дальше { $level }

at-the-start = В начале:
step-cascade-started = начало
step-cascade-stalled = замер
step-cascade-resumed = продолжение
step-cascade-ended = конец
step-level-approached = подход
step-level-verdict = вердикт
step-asymmetry-changed = перемена
step-map-digest = сводка
step-feed-degraded = сбой
step-feed-recovered = снова идут
step-config-applied = применено
step-config-rejected = отклонено

coin-forced = принудительно { $amount }
coins-of-watched = { $count ->
    [one] { $count } монета
    [few] { $count } монеты
   *[many] { $count } монет
} из { $watched } отслеживаемых
coins-outcome = { $outcome ->
    [exhausted] выдохлись
    [absorbed] поглощены
    [rejected] отвергнуты
   *[unknown] исход неясен
}: { $count }
median-leg = Медианный ход { $times }x обычного за пять минут

## Levels

closest = не дошла { $distance }%
through = прошла за него { $distance }%
near-it = рядом { $lasted }
crossed-in-cascade = Пройден в ходе каскада
approaches-activated = { $count ->
    [one] { $count } подход
    [few] { $count } подхода
   *[many] { $count } подходов
} за { $span }, { $activated ->
    [0] ни один не сработал
    [one] сработал { $activated }
   *[many] сработало { $activated }
}
verdict-accelerated = ускорение
verdict-faded = затухание
verdict-reversed = отбой

## The map

shorts-above = шорты выше оц. { $amount }
longs-below = лонги ниже оц. { $amount }
within = В пределах { $window }: { $amounts }
day-before = (24 ч назад { $ratio })
amounts-relative = Суммы сравнимы между собой, но не с долларами
above = Выше: { $rungs }
below = Ниже: { $rungs }
ranges-above = Зоны выше: { $rungs }
ranges-below = Зоны ниже: { $rungs }
of-clusters = из { $count ->
    [one] { $count } кластера
   *[many] { $count } кластеров
}
reached-in = За { $span }: { approaches-to-levels }
reached-since-start = С начала работы: { approaches-to-levels }
approaches-to-levels = { $count ->
    [one] { $count } подход
    [few] { $count } подхода
   *[many] { $count } подходов
} к уровням, { $activated ->
    [one] сработал { $activated }
   *[many] сработало { $activated }
}
reached = Достигнуто: { $levels }
not-activating = КАРТА НЕ СРАБАТЫВАЕТ: цена дошла до { $count ->
    [one] { $count } кластера
   *[many] { $count } кластеров
}, реакции не было
names-no-levels = Своих уровней карта не называет; ваши уровни и алерты каскадов остаются
frozen = Заморожено, открытый интерес под вопросом: { $venues }
map-age = Карте { $span }
magnets = Кластеры это магниты, а не прогноз.
no-advice = Не финансовый совет.

not-scored = Оценки карты ещё нет.
few-events = Оценки карты ещё нет: { events } за { $days } д, этого мало.
score = Оценка карты { $grade }: в её верхнюю десятую попало { $share }{ $bounds } ликвидаций, случайно { $chance }; { events } за { $days } д.
score-of-chance = Оценка карты { $grade }, не лучше случайной: в её верхнюю десятую попало { $share }{ $bounds } ликвидаций, случайно { $chance }; { events } за { $days } д.
events = { $count ->
    [one] { $events } событие
    [few] { $events } события
   *[many] { $events } событий
}

## Feeds

silent-for = Молчит { $lasted }
share-of-liquidations = { $share }% ликвидаций, видимых за сутки
still-heard = Слышно: { $venues }
all-blind = Не слышно ничего: других площадок нет
disbelieved = { $symbol }: { $reason }
not-counted = Не учитывается, пока не пройдёт { $lasted } без странностей
believed-again = Странностей больше нет, снова учитывается
live-again = Снова слышно: { $venues }
may-miss-liquidations = Ликвидации того времени могли пропасть
still-missing = Всё ещё не слышно: { $venues }

reason-delivers-nothing = принимает подписку и ничего не передаёт
reason-no-answer = не отвечает на подписку
reason-no-trade = передаёт другое, но ни одной сделки
reason-lost = соединение потеряно ({ $why })
reason-pause = ничего уже { $silent } с, обычно что-то каждые { $gap } с
reason-forced-beyond-traded = принудительных ордеров за минуту в { $times } раз больше, чем сделок, и это { $share }% открытого интереса
reason-price-off = цена { $price }, а на других площадках { $others }
reason-mark-off = маркировочная цена { $price }, а на других площадках { $others }
reason-open-interest-leaps = открытый интерес сразу изменился с { $before } до { $now } монет
reason-others-show = не показывает ничего, а другие площадки показали { $elsewhere }: ожидалось около { $expected }

## Remarks

remark-quiet-hours = Тихие часы окончены: { alerts-held }
remark-budget = Лимит алертов{ $subject ->
    [none] {""}
   *[other] {" "}по { $subject }
} исчерпан: { alerts-folded }
remark-mute = { $subject ->
    [none] Снова слышно всё
   *[other] { $subject }: снова слышно
}, { alerts-held }
remark-digest = Сводка: { alerts-folded }
remark-late = С опозданием: { alerts-folded }
alerts-held = { $count ->
    [0] ничего не задержано
    [one] задержан { $count } алерт
    [few] задержано { $count } алерта
   *[many] задержано { $count } алертов
}
alerts-folded = { $count ->
    [one] сведён { $count } алерт
    [few] сведено { $count } алерта
   *[many] сведено { $count } алертов
}
never-folded = КРИТИЧНЫЕ приходят всегда
since = С { $time }
period = С { $since } до { $until }
kinds = { $kind ->
    [cascade_started] начало каскада
    [cascade_stalled] каскад замер
    [cascade_resumed] каскад продолжился
    [cascade_ended] конец каскада
    [level_approached] подход к уровню
    [level_verdict] вердикт по уровню
    [asymmetry_changed] перевес карты
    [map_digest] сводка карты
    [feed_degraded] сбой данных
    [feed_recovered] данные снова идут
    [config_applied] настройки применены
   *[config_rejected] настройки отклонены
}: { $count }

## Bot
bot-usage = Так: { $usage }
bot-no-command = Нет такой команды. Список: /help
bot-refused = { $reason }
bot-admins-only = Это могут только администраторы.
bot-old-button = Кнопка устарела. Спросите командой.
bot-busy = Это уже выполняется.

bot-help-title = liqwatch следит за каскадами ликвидаций
bot-help-caution = Кластеры притягивают цену, но ничего не предсказывают. Не финансовый совет.
bot-start = Алерты приходят сюда. Команды: /help
bot-id = чат { $chat }, пользователь { $user }
bot-id-topic = чат { $chat }, тема { $topic }, пользователь { $user }

bot-command-status = как работает программа
bot-command-feeds = что даёт каждый поток данных
bot-command-map = карта ликвидаций картинкой
bot-command-levels = что делала цена на уровнях
bot-command-why = почему пришёл или не пришёл алерт
bot-command-replay = как пересчитать по записи
bot-command-mute = не присылать о монете какое-то время
bot-command-mutes = что заглушено
bot-command-unmute = снова присылать
bot-command-watch = следить за ценами монеты
bot-command-unwatch = больше не следить
bot-command-threshold = показать настройку или изменить на время
bot-command-diff = что изменено поверх файла
bot-command-reload = перечитать настройки
bot-command-test = прислать образец каждого сообщения
bot-command-log = последние строки журнала
bot-command-help = что можно спросить
bot-command-id = номера чата и ваш

bot-status-well = Все потоки данных работают.
bot-feed-trouble = { $venue } { $channel }: { $state } уже { $seconds } с, { $reason }
bot-no-feeds = Потоков данных ещё нет.

bot-map-none = Заметных кластеров нет.

bot-levels-title = Уровни { $symbol }
bot-levels-none = К уровням цена не подходила.
bot-level = { $level } ({ $distance }) { $source }: { $phase }
bot-level-approaches = подходов { $approaches }, сработало { $activated }
bot-phase-far = далеко
bot-phase-approaching = цена приближается
bot-phase-testing = проверяется
bot-phase-crossed = пройден
bot-phase-judged = оценён
bot-verdict-accelerated = ускорение
bot-verdict-faded = затухание
bot-verdict-reversed = отбой
bot-source-estimate = оценка
bot-source-observed = опубликованные позиции
bot-source-imported = загружен
bot-source-user = ваш
bot-source-unmapped = вне карты

bot-why-by = Решено по признаку { $path }, { $tier }
bot-why-met = { $name } { $value }, порог { $limit } ({ $margin })
bot-why-missed = { $name } { $value }, порог { $limit } ({ $margin }), не достигнут
bot-why-coverage = Слышная доля рынка: { $share }
bot-why-delivery = { $receiver }: { $role }, { $state } ({ $reason })
bot-why-outcome = { $receiver }: { $role }, { $state } ({ $reason }; { $outcome })
bot-why-nobody = Сообщать было некому.

bot-why-not = { $symbol } { $at } UTC: в пределах { $minutes } мин каскад не объявлялся
bot-why-called = { $symbol } { $at } UTC: в пределах { $minutes } мин каскад шёл или был объявлен
bot-why-told = { $time } { $headline }
bot-why-story = Показатели: команда why { $id }
bot-why-way = { $direction ->
    [up] вверх
   *[down] вниз
}
bot-why-nearest = Ближе всего в { $time } { bot-why-way }, { $share } пути: { $path }
bot-why-reached = { $name } { $value } из { $limit }: достигнуто
bot-why-short = { $name } { $value } из { $limit }: не хватило { $short }
bot-why-also = В { $time } { bot-why-way }, { $share } пути, не хватило { $missed }
bot-why-by-rarity = поток { $venue } против того, что эта лента показывает раз в { $span }
bot-why-by-impact = поток всех лент против движения
bot-why-deaf = Тогда не было слышно: { $venues }
bot-why-learning = Слишком мало истории, чтобы назвать поток редким: { $venues }
bot-why-ordinary = К началу каскада ничего не приблизилось.
bot-why-moved = Цена за это время прошла { $moved }.
bot-why-forced = Принудительные ордера за это время: { $amount }
bot-why-forgotten = Что тогда приблизилось к началу, уже не помнится. Ответит запись: liqwatch why --tape

bot-replay-title = { $symbol } { $begun }–{ $over } UTC
bot-replay-none = Записей за это время нет.

bot-mutes-none = Ничего не заглушено.
bot-mute = { $subject } до { $until }, { $who }
bot-muted-by = Заглушено до { $until }, { $who }
bot-acked-by = Прочитано: { $who }
bot-mutes-title = Заглушено
bot-mute-all = Всё

bot-watched = { $symbol }: слежение за { $prices }
bot-watched-none = За ценами { $symbol } слежения нет.
bot-until = До { $until }; файл настроек не меняется.

bot-threshold = { $name } = { $value }
bot-from-default = встроенное значение
bot-from-file = из файла настроек
bot-from-override = { $who } до { $until }

bot-diff-none = Поверх файла ничего не изменено.
bot-diff-title = Изменено поверх файла
bot-diff = { $change } до { $until }, { $who }
bot-diff-refused = { $change }, { $who }, не действует: { $reason }

bot-reload = Настройки перечитываются; о результате придёт алерт.
bot-test = Сейчас придут образцы всех сообщений.
bot-test-done = Это были все.
bot-log-none = Журнал пуст.

bot-button-mute = Без { $subject } 1 ч
bot-button-why = Почему?
bot-button-map = Карта
bot-button-ack = Прочитано

## Ways to people

chat-gone = Алерты в { $chat } больше не отправляются: { $reason }
chat-gone-advice = Дальше: /start в том чате или перезапуск.
second-channel = Telegram недоступен с { $time } UTC

## The status message

status-venues = liqwatch следит: на связи { $live } из { $venues } площадок
status-cascades = { $running ->
    [0] Каскадов нет.
    [one] Идёт { $running } каскад.
    [few] Идут { $running } каскада.
   *[many] Идёт { $running } каскадов.
}
