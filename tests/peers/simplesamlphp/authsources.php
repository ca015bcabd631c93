<?php

/* Who can sign in. */

$config = [
    'people' => [
        'exampleauth:UserPass',
        'ada:lovelace' => [
            'uid' => ['ada'],
            'mail' => ['ada@initech.example'],
            'givenName' => ['Ada'],
            'sn' => ['Lovelace'],
            'eduPersonAffiliation' => ['staff', 'member'],
        ],
        'zoe:müller' => [
            'uid' => ['zoe'],
            'mail' => ['zoe@initech.example'],
            'givenName' => ['Zoë <b>'],
            'sn' => ['Müller & Söhne'],
        ],
    ],
];
